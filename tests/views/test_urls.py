"""Every page, by its URL: who may open it, and what hostile names do to it. A new URL is covered by being listed."""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from mqtt.models import ApiToken, Mapping
from tests import factories

pytestmark = pytest.mark.django_db

HOSTILE = '"><img src=x onerror=alert(1)>{{ 7*7 }}<script>alert(2)</script>'
"""As a name of everything."""

OPEN = {"login", "logout", "healthz", "readyz", "metrics", "set_language"}
"""URLs that answer without a login."""
OWN_ACCOUNT = {"account", "password-change"}
"""URLs that an account without a role may use too."""
OWN_TOKENS = {"token-list", "token-create", "token-revoke"}
"""URLs about one's own tokens, for everybody with a role."""


def names() -> dict[str, URLPattern]:
    """The URLs of mqtt.urls by name; the API has tests of its own."""
    found: dict[str, URLPattern] = {}

    def walk(patterns: list[Any]) -> None:
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                if pattern.namespace is None and "api" not in str(pattern.pattern) and pattern.app_name is None:
                    walk(pattern.url_patterns)
            elif pattern.name:
                found.setdefault(pattern.name, pattern)

    walk([one for one in get_resolver().url_patterns if isinstance(one, URLResolver) and str(one.pattern) == ""])
    return found


ALL = sorted(names())


@pytest.fixture
def things(viewer: User) -> dict[str, int]:
    """One of each, all with a hostile name; {first part of a URL's name: primary key}."""
    site = factories.make_site(name=HOSTILE, address=HOSTILE, contact=HOSTILE, topic_prefix=HOSTILE.replace("+", ""))
    connection = factories.make_connection(name=HOSTILE, host=HOSTILE[:50], site=site, username=HOSTILE, activity={})
    factories.make_status_change(connection, label=HOSTILE, reason="nonsense " + HOSTILE[:20])
    gateway = factories.make_gateway(
        connection, identifier=HOSTILE, label=HOSTILE, site=site, facts={HOSTILE: [HOSTILE]}, firmware=HOSTILE
    )
    datalogger = factories.make_datalogger(gateway=gateway, identifier=HOSTILE, label=HOSTILE, model=HOSTILE)
    sensor = factories.make_sensor(datalogger, text=HOSTILE, name=HOSTILE, unit=HOSTILE[:40], kind=HOSTILE[:40])
    factories.make_sensor(datalogger, name=f"{HOSTILE} 2", label=HOSTILE)
    factories.make_reading(sensor, value=None, text=HOSTILE)
    payload = f'{{"x": "{HOSTILE}"}}'.replace('"><', "'><").encode()
    topic = factories.make_topic(
        connection, topic=HOSTILE, last_payload=payload, last_size=len(payload), undecoded_count=1
    )
    undecoded = factories.make_undecoded(
        connection, topic=HOSTILE, payload=HOSTILE.encode(), reason="not_json", context={"detail": HOSTILE}
    )
    command = factories.make_command(
        connection, topic=HOSTILE, payload=HOSTILE.encode(), actor=HOSTILE, state="failed",
        reason="command_refused", context={"detail": HOSTILE},
    )  # fmt: skip
    token = ApiToken.objects.create(user=viewer, name=HOSTILE[:80], digest="0" * 64)
    mapping = Mapping.objects.create(
        name=HOSTILE[:120], connection=connection, topic_pattern=HOSTILE, values=[{"path": "x", "name": HOSTILE}]
    )
    made = {
        "note": factories.make_note(sensor, text=HOSTILE, author_name=HOSTILE),
        "alias": datalogger.aliases.create(connection=connection, kind="datalogger", key=HOSTILE),
        "correction": factories.make_correction(sensor, reason=HOSTILE),
        "mapping": mapping,
        "site": site,
        "connection": connection,
        "gateway": gateway,
        "datalogger": datalogger,
        "sensor": sensor,
    }
    return {name: thing.pk for name, thing in made.items()} | {
        "topic": topic.pk,
        "undecoded": undecoded.pk,
        "command": command.pk,
        "token": token.pk,
    }


def url_of(name: str, things: dict[str, int]) -> str:
    if "<int:pk>" in str(names()[name].pattern):
        return reverse(name, args=[things[name.split("-", maxsplit=1)[0]]])
    return reverse(name)


def both_ways(client: Client, url: str) -> list[Any]:
    return [client.get(url), client.post(url)]


def test_there_are_pages() -> None:
    assert {"overview", "connection-detail", "sensor-detail", "login", "account"} <= set(ALL)


@pytest.mark.parametrize("name", [name for name in ALL if name not in OPEN])
def test_who_is_not_logged_in_is_asked_to_and_an_account_without_a_role_gets_nothing(
    client: Client, stranger: User, things: dict[str, int], name: str
) -> None:
    for answer in both_ways(client, url_of(name, things)):
        assert answer.status_code in {302, 405}, answer.status_code
        if answer.status_code == 302:
            assert answer["Location"].startswith("/login/?next=")

    if name in OWN_ACCOUNT:
        return
    client.force_login(stranger)
    for answer in both_ways(client, url_of(name, things)):
        assert answer.status_code in {403, 405}, answer.status_code
        if answer.status_code == 403:
            assert "Your account has no role yet" in answer.content.decode()


CONFIGURING = [name for name in ALL if re.search("-(create|edit|delete)$", name) and name not in OWN_TOKENS]


@pytest.mark.parametrize("name", CONFIGURING)
def test_only_administrators_configure(
    client: Client, viewer: User, operator: User, things: dict[str, int], name: str
) -> None:
    for user in (viewer, operator):
        client.force_login(user)
        for answer in both_ways(client, url_of(name, things)):
            assert answer.status_code == 403, user


@pytest.mark.parametrize(
    "name", [name for name in ALL if re.search("-(enable|disable|resubscribe|retry|test|publish)$", name)]
)
def test_a_viewer_switches_nothing(client: Client, viewer: User, things: dict[str, int], name: str) -> None:
    client.force_login(viewer)
    assert client.post(url_of(name, things)).status_code == 403


@pytest.mark.parametrize("name", ALL)
def test_hostile_names_are_shown_as_text_and_query_strings_of_nonsense_do_no_harm(
    client: Client, administrator: User, viewer: User, things: dict[str, int], name: str
) -> None:
    client.force_login(viewer if name.startswith("token") else administrator)
    url = url_of(name, things)
    for query in ("?page=x&sort=%00&view=%00&q=%00&search=%00", "?page=99999999999999999999&site=x&connection=²&q=%27"):
        assert client.get(url + query).status_code in {200, 302, 405, 503}
    answer = client.get(url)
    if answer.status_code in {302, 405} or answer["Content-Type"].startswith(("text/plain", "text/csv")):
        return
    assert answer.status_code in {200, 503}
    page = answer.content.decode()
    assert "<img src=x" not in page
    assert "<script>alert" not in page
    assert not re.search(r"\b49<", page), "a template in a name was carried out"


class Page(HTMLParser):
    """What the accessibility tests need to know of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.labelled: set[str] = set()
        self.inputs: list[dict[str, str | None]] = []
        self.headings: list[int] = []
        self.inline: list[str] = []
        self.references: list[str] = []
        self._inside_label = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if given.get("id"):
            self.ids.append(str(given["id"]))
        if tag == "label":
            self._inside_label += 1
            self.labelled.add(given.get("for") or "")
        if tag in {"input", "select", "textarea"} and given.get("type") not in {"hidden", "submit"}:
            if self._inside_label:
                self.labelled.add(given.get("id") or "")
            self.inputs.append(given)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag in {"style", "script"} and not given.get("src"):
            self.inline.append(tag)
        self.inline += [name for name in given if name == "style" or name.startswith("on")]
        self.references += str(given.get("aria-describedby") or "").split()

    def handle_endtag(self, tag: str) -> None:
        self._inside_label -= tag == "label"


@pytest.fixture
def page_of(client: Client, administrator: User) -> Callable[[str], Page | None]:
    client.force_login(administrator)

    def load(url: str) -> Page | None:
        answer = client.get(url)
        is_page = answer.status_code == 200 and answer["Content-Type"].startswith("text/html")
        return Page(answer.content.decode()) if is_page else None

    return load


@pytest.mark.parametrize("name", ALL)
def test_pages_can_be_used_without_eyes_or_mouse(
    things: dict[str, int], page_of: Callable[[str], Page | None], name: str
) -> None:
    page = page_of(url_of(name, things))
    if page is None:
        return
    unlabelled = [one for one in page.inputs if one.get("id") not in page.labelled and not one.get("aria-label")]
    assert not unlabelled
    assert page.headings.count(1) == 1
    main = [level for level in page.headings if level]
    jumps = [(a, b) for a, b in zip(main[main.index(1) :], main[main.index(1) + 1 :], strict=False) if b > a + 1]
    assert not jumps
    assert sorted(set(page.ids)) == sorted(page.ids), "an id stands twice"
    assert set(page.references) <= set(page.ids)
    assert not page.inline, "the content policy forbids inline scripts and styles"
