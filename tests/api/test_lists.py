import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from rest_framework.serializers import ModelSerializer, Serializer
from rest_framework.test import APIClient

from mqtt.api.serializers.devices import (
    DataloggerSerializer,
    GatewaySerializer,
    ReadingSerializer,
    SensorSerializer,
)
from mqtt.api.serializers.topics import TopicSerializer
from mqtt.enums import Availability, IntervalSource
from mqtt.lists.words import holds
from mqtt.models import GatewayRhythm, SensorDevice, SensorRhythm, SensorState
from mqtt.rhythm import expect
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.database]

BASE = "/api/v1/mqtt/"


def names(answer: Any, field: str = "id") -> list[Any]:
    assert answer.status_code == 200, answer.content
    return [one[field] for one in answer.json()["results"]]


def test_a_sensor_says_what_the_contract_promises(looking: APIClient) -> None:
    gateway = factories.make_gateway()
    logger = factories.make_datalogger(gateway=gateway)
    sensor = factories.make_sensor(logger, value=21.5, name="<b>t</b>", label="Boiler", unit="<i>")
    said = looking.get(f"{BASE}sensors/{sensor.pk}/").json()
    assert (said["id"], said["name"], said["label"], said["unit"]) == (sensor.pk, "<b>t</b>", "Boiler", "<i>")
    assert (said["kind"], said["last_value"], said["availability"]) == ("temperature", 21.5, "online")
    assert said["last_reading_at"]
    assert said["connection"] == logger.connection_id
    assert said["datalogger"] == {
        "id": logger.pk, "identifier": logger.identifier, "label": "", "gateway": gateway.pk
    }  # fmt: skip


def test_words_and_nothing_are_values_too(looking: APIClient) -> None:
    factories.make_sensor(text="open")
    silent = factories.make_sensor()
    silent.state.delete()
    assert sorted(names(looking.get(f"{BASE}sensors/"), "last_value"), key=str) == [None, "open"]


def test_gateways_and_dataloggers_carry_their_facts(looking: APIClient) -> None:
    gateway = factories.make_gateway(firmware="1.2", facts={"rssi": -70, "big": 10**30})
    factories.make_datalogger(gateway=gateway)
    said = looking.get(f"{BASE}gateways/").json()["results"][0]
    assert (said["firmware"], said["facts"]["rssi"], said["availability"]) == ("1.2", -70, "online")
    logger = looking.get(f"{BASE}dataloggers/").json()["results"][0]
    assert logger["gateway"]["identifier"] == gateway.identifier


def test_devices_say_how_often_they_are_expected_and_how_that_is_known(looking: APIClient) -> None:
    learned, said, by_hand, stranger = factories.make_sensor(), factories.make_gateway(), 90, factories.make_sensor()
    SensorRhythm.objects.create(pk=learned.pk, **expect(60, IntervalSource.LEARNED)._asdict())
    GatewayRhythm.objects.create(pk=said.pk, **expect(600, IntervalSource.SAID)._asdict())
    box = factories.make_datalogger(expected_interval=by_hand)
    for path, expected in (
        (f"sensors/{learned.pk}/", (60.0, "learned")),
        (f"sensors/{stranger.pk}/", (None, "unknown")),
        (f"gateways/{said.pk}/", (600.0, "said")),
        (f"dataloggers/{box.pk}/", (90, "set")),
    ):
        answer = looking.get(BASE + path).json()
        assert (answer["expected_interval_seconds"], answer["interval_source"]) == expected


def test_lists_filter_like_the_pages(looking: APIClient) -> None:
    site = factories.make_site()
    gateway = factories.make_gateway()
    one = factories.make_datalogger(gateway=gateway, site=site)
    two = factories.make_datalogger(availability="offline")
    first, second = factories.make_sensor(one), factories.make_sensor(two, availability="offline")
    for query, expected in (
        ({"gateway": gateway.pk}, [first.pk]),
        ({"datalogger": two.pk}, [second.pk]),
        ({"site": site.pk}, [first.pk]),
        ({"availability": "offline"}, [second.pk]),
        ({"connection": one.connection_id}, [first.pk]),
        ({"search": first.name}, [first.pk]),
        ({"ordering": "-id"}, [second.pk, first.pk]),
        ({"ordering": "last_value,-id"}, [second.pk, first.pk]),
    ):
        assert names(looking.get(f"{BASE}sensors/", query)) == expected, query


def test_a_sensor_without_a_number_stands_at_the_end_whichever_way_round(looking: APIClient) -> None:
    box = factories.make_datalogger()
    low, high = factories.make_sensor(box, value=-3.0), factories.make_sensor(box, value=8.5)
    words = factories.make_sensor(box, value=None, text="open")
    for ordering, expected in (("last_value", [low, high, words]), ("-last_value", [high, low, words])):
        assert names(looking.get(f"{BASE}sensors/", {"ordering": ordering})) == [one.pk for one in expected]


def test_the_filter_by_availability_finds_what_the_rows_say(looking: APIClient) -> None:
    held = factories.make_datalogger()
    left = factories.make_datalogger(factories.make_connection(leased=False))
    down = factories.make_datalogger(factories.make_connection(status="disconnected"))
    for logger in (held, left, down):
        for availability in Availability:
            factories.make_sensor(logger, availability=availability)
    SensorState.objects.filter(sensor=factories.make_sensor(held)).delete()
    rows = looking.get(f"{BASE}sensors/", {"ordering": "availability,id"}).json()["results"]
    assert [row["availability"] for row in rows] == sorted(row["availability"] for row in rows)
    for availability in Availability:
        expected = [row["id"] for row in rows if row["availability"] == availability]
        assert names(looking.get(f"{BASE}sensors/", {"availability": availability, "ordering": "id"})) == expected
        assert expected


def test_pages_have_links_and_bounds(looking: APIClient) -> None:
    connection = factories.make_connection()
    for _ in range(5):
        factories.make_topic(connection)
    page = looking.get(f"{BASE}topics/", {"page_size": 2, "page": 2}).json()
    assert page["count"] == 5
    assert "page=3" in page["next"]
    assert page["previous"].startswith("http://testserver/api/v1/mqtt/topics/")
    assert looking.get(f"{BASE}topics/", {"page": 4, "page_size": 2}).status_code == 404


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("page=-1", "page"), ("page=0", "page"), ("page=x", "page"), ("page=99999999999999999999", "page"),
        ("page_size=0", "page_size"), ("page_size=1001", "page_size"), ("page_size=1e3", "page_size"),
        ("page_size=%D9%A3", "page_size"), ("ordering=password", "ordering"),
        ("ordering=connection__password_token", "ordering"),
        ("ordering=--id", "ordering"), ("connection=x", "connection"), ("connection=999", "connection"),
        ("connection=1' OR 1=1--", "connection"), ("site=99999999999999999999999", "site"),
        ("availability=sideways", "availability"),
    ],
)  # fmt: skip
def test_a_bad_query_is_a_field_error(looking: APIClient, query: str, field: str) -> None:
    answer = looking.get(f"{BASE}sensors/?{query}")
    assert answer.status_code == 400, answer.content
    assert field in answer.json()


@pytest.mark.parametrize("text", ["%00", "%", "_", "'", '"; DROP TABLE mqtt_topic;--', "\\", "<script>", "x" * 5000])
def test_any_search_text_is_just_text(looking: APIClient, text: str) -> None:
    factories.make_sensor()
    for kind in ("connections", "gateways", "dataloggers", "sensors", "topics", "undecoded"):
        assert looking.get(f"{BASE}{kind}/", {"search": text}).status_code in {200, 400}
    assert looking.get(f"{BASE}sensors/?search=%00").status_code in {200, 400}


@pytest.mark.parametrize("kind", ["connections", "gateways", "dataloggers", "sensors", "topics", "undecoded"])
def test_every_list_costs_the_same_for_one_and_for_three(
    looking: APIClient, kind: str, django_assert_max_num_queries: Any
) -> None:
    def make() -> None:
        gateway = factories.make_gateway(site=factories.make_site())
        factories.make_sensor(factories.make_datalogger(gateway=gateway))
        factories.make_topic()
        factories.make_undecoded()

    make()
    with django_assert_max_num_queries(8) as first:
        looking.get(f"{BASE}{kind}/")
    make()
    make()
    with django_assert_max_num_queries(len(first)):
        looking.get(f"{BASE}{kind}/")
    assert len(first) <= 6


def test_pages_from_either_end_are_the_whole_list_once(looking: APIClient) -> None:
    logger = factories.make_datalogger()
    for number in range(7):
        value = {"value": float(number % 3)} if number else {"text": "open"}
        factories.make_sensor(logger, name=f"same {number % 2}", key=f"sensor {number}", **value)
    for ordering in ("name", "-name", "last_value", "-last_value", "-availability,name", "id"):
        query = {"ordering": ordering, "page_size": 2}
        whole = names(looking.get(f"{BASE}sensors/", {"ordering": ordering}))
        pages = [names(looking.get(f"{BASE}sensors/", {**query, "page": page})) for page in (1, 2, 3, 4)]
        assert [len(page) for page in pages] == [2, 2, 2, 1]
        assert [pk for page in pages for pk in page] == whole, ordering


def test_what_stands_on_one_page_is_not_counted(looking: APIClient, django_assert_num_queries: Any) -> None:
    for _ in range(3):
        factories.make_sensor()
    with django_assert_num_queries(4) as asked:
        answer = looking.get(f"{BASE}sensors/", {"page_size": 3}).json()
    assert (answer["count"], answer["next"], len(answer["results"])) == (3, None, 3)
    assert not any("COUNT" in one["sql"] for one in asked)
    with django_assert_num_queries(5):
        answer = looking.get(f"{BASE}sensors/", {"page_size": 2}).json()
    assert (answer["count"], len(answer["results"])) == (3, 2)
    assert "page=2" in answer["next"]


@pytest.mark.parametrize("serializer", [GatewaySerializer, DataloggerSerializer, SensorSerializer, TopicSerializer])
def test_rows_are_written_as_django_rest_framework_writes_them(serializer: Any) -> None:
    gateway = factories.make_gateway(firmware="1.2", facts={"rssi": -70}, site=factories.make_site())
    logger = factories.make_datalogger(gateway=gateway, expected_interval=90)
    factories.make_sensor(logger, value=21.5, decimals=2)
    factories.make_sensor(text="open").state.delete()
    factories.make_topic()
    rows = serializer.Meta.model.objects.all()
    for row in rows.with_availability() if hasattr(rows, "with_availability") else rows:
        with timezone.override(UTC):
            expected = ModelSerializer.to_representation(serializer(), row)
        assert serializer().to_representation(row) == expected


@pytest.mark.parametrize("fields", [{"value": 21.5, "flags": 1}, {"value": None, "text": "open", "flags": 2}])
def test_readings_are_written_as_django_rest_framework_writes_them(fields: dict[str, Any]) -> None:
    reading = factories.make_reading(factories.make_sensor(), time=datetime(2026, 5, 1, 12, tzinfo=UTC), **fields)
    serializer = ReadingSerializer(context={"corrections": {}})
    with timezone.override(UTC):
        expected = Serializer.to_representation(serializer, reading)
    assert serializer.to_representation(reading) == expected


def test_every_time_is_in_utc_because_an_hour_of_autumn_comes_twice_elsewhere(looking: APIClient) -> None:
    sensor = factories.make_sensor(factories.make_datalogger(gateway=factories.make_gateway()), value=1.0)
    for hour in (0, 1):
        factories.make_reading(sensor, time=datetime(2026, 10, 25, hour, 30, tzinfo=UTC))
    factories.make_correction(sensor), factories.make_note(sensor), factories.make_topic()
    factories.make_undecoded(), factories.make_command()
    lists = ("connections", "gateways", "dataloggers", "sensors", "topics", "undecoded", "notes", "corrections")
    paths = [f"mqtt/{name}" for name in lists] + ["commands", f"mqtt/sensors/{sensor.pk}/readings"]
    for path in paths:
        answer = looking.get(f"/api/v1/{path}/")
        found = re.findall(r'"(\d{4}-\d\d-\d\dT[^"]*)"', answer.content.decode())
        assert found, path
        assert {moment[-1] for moment in found} == {"Z"}, path
    assert names(answer, "time") == ["2026-10-25T01:30:00Z", "2026-10-25T00:30:00Z"]


def test_history_is_found_however_far_back_it_lies(looking: APIClient) -> None:
    sensor = factories.make_sensor()
    ages = [0, 1, 5, 40, 80, 4000]
    for number, age in enumerate(ages):
        factories.make_reading(sensor, value=age, time=timezone.now() - timedelta(days=age, hours=1), digest=number)
    for size in (1, 2, 3, 5, 6, 7):
        url, seen = f"{BASE}sensors/{sensor.pk}/readings/?page_size={size}", []
        while url:
            answer = looking.get(url).json()
            seen += [row["value"] for row in answer["results"]]
            url = answer["next"]
        assert seen == ages
    since = (timezone.now() - timedelta(days=50)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert names(looking.get(f"{BASE}sensors/{sensor.pk}/readings/?start={since}"), "value") == ages[:4]
    file = looking.get(f"{BASE}sensors/{sensor.pk}/readings/?format=csv")
    assert len(file.getvalue().splitlines()) == 7


def test_a_search_looks_through_what_sensors_hang_on(looking: APIClient) -> None:
    boiler = factories.make_sensor(factories.make_datalogger(label="Boiler room"), name="flow")
    factories.make_sensor(name="flow")
    assert names(looking.get(f"{BASE}sensors/", {"search": "boiler FLOW"})) == [boiler.pk]


def test_the_serial_number_on_a_datalogger_finds_its_sensors(looking: APIClient) -> None:
    logger = factories.make_datalogger(identifier="SN-204417", key="site/7")
    own = [factories.make_sensor(logger, name=name, key=f"site/7#{name}") for name in ("flow", "level")]
    factories.make_sensor(name="flow")
    assert names(looking.get(f"{BASE}sensors/", {"search": "sn-204417"})) == [one.pk for one in own]


def test_postgresql_finds_words_by_an_index() -> None:
    if connection.vendor != "postgresql":
        return  # PostgreSQL's index
    sensor = factories.make_sensor(name="flow")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        found = SensorDevice.objects.filter(holds(SensorDevice, ("name", "key", "datalogger__label"), "flow"))
        assert "sensors_by_words" in found.order_by().explain()
    assert list(found) == [sensor]


def test_payloads_are_shown_alone_and_not_in_lists(looking: APIClient) -> None:
    topic = factories.make_topic(last_payload='{"t": "21 °'.encode()[:-1])
    undecoded = factories.make_undecoded()
    assert "last_payload" not in looking.get(f"{BASE}topics/").json()["results"][0]
    assert looking.get(f"{BASE}topics/{topic.pk}/").json()["last_payload"] == '{"t": "21 '
    said = looking.get(f"{BASE}undecoded/{undecoded.pk}/").json()
    assert said["payload"] is None
    assert said["payload_base64"] == "/wBnYXJiYWdl"
    assert "not valid UTF-8" in said["detail"]


def test_history_pages_by_cursor_newest_first(looking: APIClient) -> None:
    logger = factories.make_datalogger()
    one, two = factories.make_sensor(logger), factories.make_sensor(logger)
    other = factories.make_sensor()
    start = datetime(2026, 5, 1, 12, tzinfo=UTC)
    for n in range(5):
        for sensor in (one, two, other):
            factories.make_reading(sensor, value=n, time=start + timedelta(seconds=n), digest=n)
    # Two values at one instant are two readings.
    factories.make_reading(one, value=99, time=start, digest=99)
    for path, expected in ((f"sensors/{one.pk}", 6), (f"dataloggers/{logger.pk}", 11)):
        url, seen = f"{BASE}{path}/readings/?page_size=2", []
        while url:
            answer = looking.get(url)
            assert answer.status_code == 200, answer.content
            seen += answer.json()["results"]
            url = answer.json()["next"]
        assert len(seen) == expected
        keys = [(row["time"], row["sensor"], row["value"]) for row in seen]
        assert len(set(keys)) == expected
        assert [row["time"] for row in seen] == sorted((row["time"] for row in seen), reverse=True)
        assert {row["sensor"] for row in seen} <= {one.pk, two.pk}
    window = {"start": "2026-05-01T12:00:01Z", "end": "2026-05-01T14:00:02+02:00"}
    assert names(looking.get(f"{BASE}sensors/{one.pk}/readings/", window), "value") == [2.0, 1.0]
    # The plus sign as a careless script sends it, and a time of this console's zone (Europe/Rome).
    for start in ("14:00:04+02:00", "23:00:04+11:00"):
        url = f"{BASE}sensors/{one.pk}/readings/?start=2026-05-01T{start}"
        assert names(looking.get(url), "value") == [4.0]
    assert names(looking.get(f"{BASE}sensors/{one.pk}/readings/?start=2026-05-01T14:00:04"), "value") == [4.0]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("start=yesterday", "start"), ("start=2026-13-45T00:00:00Z", "start"), ("end=%00", "end"),
        ("start=2026-05-02T00:00:00Z&end=2026-05-01T00:00:00Z", "end"), ("cursor=junk", "cursor"),
        ("cursor=AAAA", "cursor"), ("page_size=100000", "page_size"), ("bucket=2h", "bucket"),
        ("strat=2026-05-01T00:00:00Z", "strat"),
    ],
)  # fmt: skip
def test_a_bad_history_query_is_a_field_error(looking: APIClient, query: str, field: str) -> None:
    sensor = factories.make_sensor()
    answer = looking.get(f"{BASE}sensors/{sensor.pk}/readings/?{query}")
    assert answer.status_code == 400, answer.content
    assert field in answer.json()


@pytest.mark.parametrize(
    "time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999-14:00", "0001-01-01T00:00:00Z"]
)
def test_the_ends_of_time_are_no_failure(looking: APIClient, time: str) -> None:
    sensor = factories.make_sensor()
    factories.make_reading(sensor)
    for name in ("start", "end"):
        answer = looking.get(f"{BASE}sensors/{sensor.pk}/readings/", {name: time})
        assert answer.status_code in {200, 400}, answer.content


def test_a_forged_cursor_is_harmless(looking: APIClient) -> None:
    sensor = factories.make_sensor()
    factories.make_reading(sensor, time=timezone.now())
    for cursor in ("f" * 32, "A" * 32, "_" * 32):
        answer = looking.get(f"{BASE}sensors/{sensor.pk}/readings/", {"cursor": cursor})
        assert answer.status_code in {200, 400}, answer.content
