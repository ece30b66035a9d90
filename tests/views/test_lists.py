import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from mqtt.fragments import Variant, render_row
from mqtt.lists import queries
from mqtt.models import SensorState, UndecodedMessage
from tests import factories

pytestmark = pytest.mark.django_db

LISTS = {
    "connection": "/connections/",
    "gateway": "/gateways/",
    "datalogger": "/dataloggers/",
    "sensor": "/sensors/",
    "topic": "/topics/",
    "undecoded": "/undecoded/",
    "command": "/commands/",
}
MAKERS: dict[str, Callable[[], Any]] = {
    "connection": factories.make_connection,
    "gateway": factories.make_gateway,
    "datalogger": lambda: factories.make_datalogger(gateway=factories.make_gateway()),
    "sensor": factories.make_sensor,
    "topic": factories.make_topic,
    "undecoded": factories.make_undecoded,
    "command": factories.make_command,
}
NASTY = '<script>alert("x")</script>'


@pytest.fixture
def as_operator(client: Client, operator: Any) -> Client:
    client.force_login(operator)
    return client


def page(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200
    return response.content.decode()


def without_ages(html: str) -> str:
    """A second may pass between the page and the row."""
    return re.sub(r"data-age>[^<]*<", "data-age><", html)


@pytest.mark.parametrize("kind", LISTS)
def test_a_page_shows_each_row_exactly_as_it_will_be_pushed(as_operator: Client, operator: Any, kind: str) -> None:
    rows = [MAKERS[kind]() for _ in range(3)]
    html = without_ages(page(as_operator, LISTS[kind]))
    for record in queries.prepare(kind, queries.rows(kind, operator).filter(pk__in=[row.pk for row in rows])):
        assert without_ages(render_row(kind, record, Variant("en", can_operate=True))) in html


@pytest.mark.parametrize("kind", LISTS)
def test_three_rows_cost_as_many_queries_as_one(
    as_operator: Client, kind: str, django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    MAKERS[kind]()
    with django_assert_max_num_queries(20) as first:
        page(as_operator, LISTS[kind])
    MAKERS[kind](), MAKERS[kind]()
    with django_assert_num_queries(len(first)):
        page(as_operator, LISTS[kind])


@pytest.mark.parametrize("url", [*LISTS.values(), "/"])
def test_an_empty_console_leads_to_the_first_connection(client: Client, administrator: Any, url: str) -> None:
    client.force_login(administrator)
    expected = {"/undecoded/": "Everything was understood.", "/commands/": "Nothing was published yet."}
    assert expected.get(url, "Connect a broker") in page(client, url)


@pytest.mark.parametrize("url", [*LISTS.values(), "/"])
def test_without_a_role_nothing_is_shown(client: Client, stranger: Any, url: str) -> None:
    client.force_login(stranger)
    assert client.get(url).status_code == 403


@pytest.mark.parametrize("url", [*LISTS.values(), "/"])
def test_without_login_every_list_leads_to_the_login(client: Client, url: str) -> None:
    response = client.get(url)
    assert response.status_code == 302
    assert response.url.startswith("/login/")  # type: ignore[attr-defined]


def test_the_worst_connection_comes_first(as_operator: Client) -> None:
    for name, status in (("fine", "connected"), ("quiet", "silent"), ("broken", "error"), ("gone", "disconnected")):
        factories.make_connection(name=name, status=status)
    html = page(as_operator, "/connections/")
    places = [html.index(f">{name}</a>") for name in ("broken", "gone", "quiet", "fine")]
    assert places == sorted(places)


def test_chips_count_each_status_and_filter_by_it(as_operator: Client) -> None:
    factories.make_connection(name="fine")
    factories.make_connection(name="broken", status="error")
    html = page(as_operator, "/connections/?status=error")
    assert 'data-chip="error" aria-current="true"' in html
    assert ">broken</a>" in html
    assert ">fine</a>" not in html
    assert "All <b data-mark>2</b>" in html


def test_all_is_said_in_the_gender_of_what_is_counted(as_operator: Client) -> None:
    factories.make_sensor()
    as_operator.cookies["django_language"] = "it"
    assert "Tutte <b data-mark>1</b>" in page(as_operator, "/connections/")
    assert "Tutti <b data-mark>1</b>" in page(as_operator, "/sensors/")


@pytest.mark.parametrize("sort", ["", "name", "-name", "-status", "datalogger", "value", "-value", "-heard"])
def test_pages_from_either_end_show_each_sensor_once(
    as_operator: Client, monkeypatch: pytest.MonkeyPatch, sort: str
) -> None:
    monkeypatch.setattr("mqtt.pages.list_page.PER_PAGE", 2)
    logger = factories.make_datalogger()
    for number in range(7):
        value = {"value": float(number % 3)} if number else {"text": "open"}
        factories.make_sensor(logger, name=f"same {number % 2}", key=f"sensor {number}", **value)
    found = []
    for page in (1, 2, 3, 4):
        content = as_operator.get("/sensors/", {"sort": sort, "page": page}).content.decode()
        found.append(re.findall(r'<tr id="sensor-(\d+)"', content))
    assert [len(some) for some in found] == [2, 2, 2, 1]
    assert len({pk for some in found for pk in some}) == 7


def test_a_connection_without_a_living_process_is_unknown(as_operator: Client) -> None:
    connection = factories.make_connection(leased=False)
    html = page(as_operator, "/connections/?status=unknown")
    assert f'<tr id="connection-{connection.pk}" data-status="unknown"' in html


def test_a_long_list_has_pages_of_fifty(as_operator: Client) -> None:
    datalogger = factories.make_datalogger()
    for _ in range(51):
        factories.make_sensor(datalogger)
    assert page(as_operator, "/sensors/").count("<tr id=") == 50
    assert page(as_operator, "/sensors/?page=2").count("<tr id=") == 1
    assert page(as_operator, "/sensors/?page=999").count("<tr id=") == 1
    assert page(as_operator, "/sensors/?page=banana").count("<tr id=") == 50


@pytest.mark.parametrize(
    "query",
    [
        "status=banana",
        "site=abc",
        "connection=999999",
        "connection=99999999999999999999999",
        "sort=banana",
        "sort=-status",
        "search=%00%ff",
        "page=-1",
    ],
)
@pytest.mark.parametrize("kind", LISTS)
def test_an_odd_query_still_gives_a_page(as_operator: Client, kind: str, query: str) -> None:
    MAKERS[kind]()
    page(as_operator, f"{LISTS[kind]}?{query}")


def test_a_list_offers_its_orders_in_words_and_keeps_filters_but_not_the_page(as_operator: Client) -> None:
    factories.make_sensor()
    shown = page(as_operator, "/sensors/?search=temp&sort=-value&page=1")
    form = shown.split('class="filters sorting"')[1].split("</form>")[0]
    assert '<option value="-value" selected>Value, descending</option>' in form
    assert '<option value="heard">Heard, ascending</option>' in form
    assert form.count(" selected") == 1
    assert 'value="day"' not in form, "what cannot be sorted is not offered"
    assert re.findall(r'type="hidden" name="(\w+)" value="(\w+)"', form) == [("search", "temp")]


@pytest.mark.parametrize("sort", ["name", "-name", "status", "-rate", "heard"])
def test_connections_sort_by_each_column(as_operator: Client, sort: str) -> None:
    factories.make_connection()
    assert "aria-sort" in page(as_operator, f"/connections/?sort={sort}")


def test_markup_from_devices_and_brokers_is_text(as_operator: Client) -> None:
    connection = factories.make_connection(name=NASTY, host="x", status="error", status_reason=NASTY)
    datalogger = factories.make_datalogger(connection, identifier=NASTY, firmware=NASTY, label=NASTY)
    factories.make_gateway(connection, identifier=NASTY, availability="offline")
    factories.make_sensor(datalogger, name=NASTY, text=NASTY, unit=NASTY)
    factories.make_topic(connection, topic=NASTY, last_payload=NASTY.encode(), decoder=NASTY[:40])
    factories.make_undecoded(connection, topic=NASTY, payload=NASTY.encode(), reason=NASTY[:40])
    factories.make_command(connection, topic=NASTY, payload=NASTY.encode(), actor=NASTY)
    factories.make_status_change(connection, label=NASTY)
    for url in [*LISTS.values(), "/"]:
        html = page(as_operator, url)
        assert "<script>alert" not in html, url
        assert "&lt;script&gt;alert" in html, url


def test_sensors_filter_by_datalogger_gateway_site_and_text(as_operator: Client) -> None:
    site = factories.make_site()
    gateway = factories.make_gateway(site=site)
    here = factories.make_sensor(factories.make_datalogger(gateway=gateway, site=site), name="inside")
    factories.make_sensor(name="elsewhere")
    for query in (
        f"datalogger={here.datalogger_id}",
        f"gateway={gateway.pk}",
        f"site={site.pk}",
        f"connection={here.connection_id}",
        "search=insi",
    ):
        html = page(as_operator, f"/sensors/?{query}")
        assert ">inside</a>" in html, query
        assert ">elsewhere</a>" not in html, query


def test_a_value_carries_its_machine_form_and_its_unit(as_operator: Client) -> None:
    factories.make_sensor(value=-1234.5)
    html = page(as_operator, reverse("sensor-list"))
    assert 'data-field="value" data-value="-1234.5">−1,234.5</span><span class="u" data-field="unit">°C</span>' in html


def test_where_everything_was_understood_nothing_is_to_be_decoded_again(as_operator: Client) -> None:
    assert "Decode again" not in page(as_operator, "/undecoded/")
    factories.make_undecoded()
    assert "Decode again" in page(as_operator, "/undecoded/")


def test_what_is_not_understood_is_grouped_and_can_be_decoded_again(as_operator: Client) -> None:
    connection = factories.make_connection()
    for topic, count in (("a/often", 3), ("a/once", 1)):
        for _ in range(count):
            factories.make_undecoded(connection, topic=topic, reason="empty")
    html = page(as_operator, "/undecoded/")
    groups = html.split('id="groups"')[1].split("</table>", maxsplit=1)[0]
    assert groups.index("a/often") < groups.index("a/once")
    query = f"connection={connection.pk}&topic=a%2Foften&reason=empty"
    assert query.replace("&", "&amp;") in groups
    narrowed = page(as_operator, f"/undecoded/?{query}")
    assert "a/once" not in narrowed
    assert "Decode 3 messages again?" in page(as_operator, f"/undecoded/again/?{query}")
    assert as_operator.post(f"/undecoded/again/?{query}").status_code == 302
    assert set(UndecodedMessage.objects.filter(read_again=True).values_list("topic", flat=True)) == {"a/often"}


def test_a_reason_that_narrows_the_list_is_said_in_words(as_operator: Client) -> None:
    factories.make_undecoded(reason="not_json", context={"position": 45})
    html = page(as_operator, "/undecoded/?reason=not_json")
    assert "Reason: The content begins like JSON but is broken at character …." in html
    assert "Reason: of_later" in page(as_operator, "/undecoded/?reason=of_later")


def test_single_messages_that_were_not_understood_are_folded_until_somebody_looks_closer(as_operator: Client) -> None:
    factories.make_undecoded(topic="a/odd", reason="empty")
    assert '<details class="panel"><summary>Each message<small>1</small></summary>' in page(as_operator, "/undecoded/")
    for closer in ("search=odd", "sort=topic", "page=1"):
        html = page(as_operator, f"/undecoded/?{closer}")
        assert 'id="rows"' in html
        assert "Each message" not in html
    assert "Each message" not in page(as_operator, "/connections/")


def test_a_viewer_cannot_have_messages_decoded_again(client: Client, viewer: Any) -> None:
    client.force_login(viewer)
    factories.make_undecoded()
    assert "Decode again" not in page(client, "/undecoded/")
    assert client.post("/undecoded/again/").status_code == 403


def test_a_topic_wraps_between_its_levels_and_stays_text(as_operator: Client) -> None:
    factories.make_topic(topic="hall/<b>north</b>/temperature")
    page = as_operator.get("/topics/").content.decode()
    assert "hall/<wbr>&lt;b&gt;north&lt;/<wbr>b&gt;/<wbr>temperature</a>" in page


def test_what_has_no_value_stands_at_the_end_whichever_way_round(as_operator: Client) -> None:
    datalogger = factories.make_datalogger()
    for name, value in (("low", 1.5), ("high", 8.5)):
        factories.make_sensor(datalogger, name=name, value=value)
    factories.make_sensor(datalogger, name="words", value=None, text="open")
    SensorState.objects.filter(sensor=factories.make_sensor(datalogger, name="nothing")).delete()
    for sort, expected in (("value", ["low", "high"]), ("-value", ["high", "low"])):
        shown = re.findall(r">(\w+)</a>", page(as_operator, f"/sensors/?sort={sort}").split('id="rows"')[1])
        found = [name for name in shown if name in {"low", "high", "words", "nothing"}]
        assert found[:2] == expected
        assert set(found[2:]) == {"words", "nothing"}
