"""Search and audit."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from mqtt.models import AuditEntry
from mqtt.search import search, words_of
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def web(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


def found(user: User, query: str) -> dict[str, list[str]]:
    return {str(section.title): [hit.title for hit in section.hits] for section in search(user, query)}


def test_everything_that_has_a_page_is_found(operator: User) -> None:
    site = factories.make_site(name="Duomo")
    connection = factories.make_connection(name="Duomo link")
    gateway = factories.make_gateway(connection, identifier="duomo-gw", site=site)
    datalogger = factories.make_datalogger(gateway=gateway, identifier="duomo-dl")
    factories.make_sensor(datalogger, name="duomo_temperature")
    factories.make_topic(connection, topic="duomo/x")
    assert found(operator, "DUOMO") == {
        "Connections": ["Duomo link"],
        "Sites": ["Duomo"],
        "Gateways": ["duomo-gw"],
        "Dataloggers": ["duomo-dl"],
        "Sensors": ["duomo_temperature"],
        "Topics": ["duomo/x"],
    }


def test_every_word_must_match_and_the_beginning_comes_first(operator: User) -> None:
    datalogger = factories.make_datalogger(key="site/vault/a12")
    for name in ("a_temperature", "temperature_b", "humidity"):
        factories.make_sensor(datalogger, name=name)
    assert found(operator, "temperature vault") == {"Sensors": ["temperature_b", "a_temperature"]}


def test_pages_are_found_by_their_names_and_only_those_one_may_open(operator: User, administrator: User) -> None:
    assert "Overview" in found(operator, "overv")["Pages"]
    assert "New connection" not in found(operator, "new conn").get("Pages", [])
    assert "New connection" in found(administrator, "new conn")["Pages"]


def test_who_has_no_role_finds_nothing(stranger: User) -> None:
    factories.make_site(name="Duomo")
    assert found(stranger, "duomo overview") == {}
    assert found(stranger, "duomo") == {}


@pytest.mark.parametrize("query", ["", " ", "a", "\0", "\0a"])
def test_too_little_is_not_searched(query: str) -> None:
    assert words_of(query) == []


@pytest.mark.parametrize("query", ["%%", "__", "\\\\", "'; drop", "x" * 5000, "a b c d e f g h i j", "\u202eab"])
def test_odd_queries_find_nothing_and_break_nothing(web: Client, query: str) -> None:
    factories.make_site(name="Duomo")
    page = web.get("/search/", {"q": query}).content.decode()
    assert "Nothing found." in page


def test_ten_of_a_kind_are_shown_and_the_rest_is_a_list(web: Client) -> None:
    datalogger = factories.make_datalogger()
    for number in range(12):
        factories.make_sensor(datalogger, name=f"findme_{number:02}")
    page = web.get("/search/", {"q": "findme"}).content.decode()
    assert page.count('<span class="k">findme_') == 10
    assert 'href="/sensors/?search=findme"' in page


def test_a_search_asks_the_same_queries_for_one_hit_and_for_many(
    operator: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    factories.make_sensor(name="findme")
    with django_assert_max_num_queries(20) as one:
        found(operator, "findme")
    for _ in range(3):
        factories.make_sensor(name="findme")
    with django_assert_max_num_queries(len(one)):
        found(operator, "findme")


def entry(**fields: object) -> AuditEntry:
    values = {"actor": "rossi", "via": "web", "action": "changed", "kind": "connection", "label": "Duomo", **fields}
    return AuditEntry.objects.create(**values)


def test_the_audit_says_by_which_way_somebody_acted(web: Client) -> None:
    entry(via="command")
    entry(via="of_later")
    page = web.get("/audit/").content.decode()
    assert "<small>by a command</small>" in page
    assert "<small>of_later</small>" in page


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_a_day_that_begins_or_ends_beyond_the_calendar_is_said_and_filters_nothing(
    web: Client, settings: Any, day: str
) -> None:
    settings.TIME_ZONE = "Europe/Rome"
    factories.make_site()
    for name in ("since", "until"):
        assert "Ensure this value is" in web.get("/audit/", {name: day}).content.decode()


def test_the_audit_links_what_exists_and_names_what_does_not(web: Client) -> None:
    connection = factories.make_connection(name="Here")
    entry(object_id=connection.pk, label="Here", details={"host": {"old": "a.example", "new": "b.example"}})
    entry(object_id=999_999, label="Gone", action="deleted")
    page = web.get("/audit/").content.decode()
    assert f'href="/connections/{connection.pk}/">Here' in page
    assert '<span class="k">Gone' in page
    assert "<del>a.example</del>" in page


@pytest.mark.parametrize(
    ("query", "labels"),
    [
        ("actor=bianchi", {"B"}),
        ("kind=site", {"C"}),
        ("action=deleted", {"D"}),
        ("search=b", {"B"}),
        ("since=2000-01-01&until=2999-01-01", {"A", "B", "C", "D"}),
        ("until=2000-01-01", set()),
    ],
)
def test_the_audit_is_filtered(web: Client, query: str, labels: set[str]) -> None:
    entry(label="A")
    entry(label="B", actor="bianchi")
    entry(label="C", kind="site")
    entry(label="D", action="deleted")
    page = web.get(f"/audit/?{query}").content.decode()
    assert {label for label in "ABCD" if f'<span class="k">{label}</span>' in page} == labels


def test_the_audit_names_fields_and_times_as_a_reader_does(web: Client) -> None:
    entry(kind="sensor", action="noted", details={"at": "2026-11-27T07:47:52+00:00", "text": "2026-02-31T00:00:00Z"})
    entry(details={"filters": "#", "sensors": 3})
    page = web.get("/audit/", headers={"Accept-Language": "it"}).content.decode()
    assert '<small>ora:</small> <time datetime="2026-11-27T07:47:52' in page
    assert "<small>nota:</small> 2026-02-31T00:00:00Z" in page
    assert "<small>filtri topic:</small> #" in page
    assert "<small>sensori:</small> 3" in page


@pytest.mark.parametrize("details", [{}, {"x": {"old": None, "new": True}}, {"x": [1, {"y": 2}]}, {"x": {"old": 1}}])
def test_any_details_of_an_audit_entry_can_be_shown(web: Client, details: dict[str, object]) -> None:
    entry(details=details)
    assert web.get("/audit/").status_code == 200


def test_the_audit_costs_the_same_queries_with_one_row_and_with_three(
    web: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    entry(object_id=factories.make_connection().pk)
    with django_assert_max_num_queries(30) as one:
        web.get("/audit/")
    for _ in range(2):
        entry(object_id=factories.make_connection().pk)
    with django_assert_max_num_queries(len(one)):
        web.get("/audit/")
