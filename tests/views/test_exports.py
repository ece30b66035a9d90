"""Files of what the pages show: the same rows in the same order, harmless in a spreadsheet, readable by the import."""

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from mqtt.enums import ReadingFlag
from mqtt.exports.columns import COLUMNS
from mqtt.exports.readings import COLUMNS as READING_COLUMNS
from mqtt.exports.readings import EXACT, readings_writer
from mqtt.exports.rows import READINGS_AT_ONCE, reading_rows
from mqtt.exports.stream import Export
from mqtt.exports.writers import WRITERS, CsvWriter, ExcelItalianWriter, JsonWriter
from mqtt.models import AuditEntry, Reading, SensorDevice, from_us
from mqtt.pages import REGISTRY
from mqtt.pages.list_page import ListPage
from mqtt.services.transfer.reading_files import KNOWN
from tests import factories
from tests.views.test_lists import LISTS, MAKERS

pytestmark = [pytest.mark.django_db]

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def reader(client: Client, viewer: Any) -> Client:
    client.force_login(viewer)
    return client


def download(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    assert answer["Content-Disposition"].startswith("attachment; filename=")
    return b"".join(answer).decode()  # type: ignore[call-overload, no-any-return]


def rows_of(client: Client, url: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(download(client, url), newline="")))


@pytest.mark.database
@pytest.mark.parametrize("kind", LISTS)
def test_every_list_gives_its_rows_and_says_before_how_many(
    reader: Client, kind: str, django_assert_max_num_queries: Any
) -> None:
    made = [MAKERS[kind]() for _ in range(3)]
    page = reader.get(LISTS[kind])
    links = page.context["export"]
    assert links["count"] >= 3
    with django_assert_max_num_queries(14):
        rows = rows_of(reader, LISTS[kind] + links["forms"][0]["url"])
    assert len(rows) == links["count"]
    assert list(rows[0]) == list(COLUMNS[kind])
    assert {str(one.pk) for one in made} <= {row["id"] for row in rows}


@pytest.mark.database
def test_a_file_names_the_site_at_which_the_page_shows_a_device(reader: Client) -> None:
    roof, hall = factories.make_site(name="roof"), factories.make_site(name="hall")
    connection = factories.make_connection(site=hall)
    gateways = [factories.make_gateway(connection, site=site) for site in (roof, None)]
    for gateway in (*gateways, None):
        factories.make_datalogger(connection, gateway=gateway)
    for url, expected in (("/gateways/", ["hall", "roof"]), ("/dataloggers/", ["hall", "hall", "roof"])):
        assert sorted(row["site"] for row in rows_of(reader, f"{url}?export=csv")) == expected
        assert {row["site"] for row in rows_of(reader, f"{url}?export=csv&site={roof.pk}")} == {"roof"}


def test_every_list_page_can_be_exported() -> None:
    assert {page.kind for page in REGISTRY.values() if isinstance(page, ListPage)} <= COLUMNS.keys()


@pytest.mark.database
def test_filter_and_order_are_those_of_the_page(reader: Client) -> None:
    for name, value in (("boiler_b", 2.0), ("boiler_a", 3.0), ("boiler_c", 1.0), ("cellar", 9.0)):
        factories.make_sensor(name=name, value=value)
    page = reader.get("/sensors/?search=boiler&sort=value")
    rows = rows_of(reader, "/sensors/" + page.context["export"]["forms"][0]["url"])
    assert [row["name"] for row in rows] == [one.name for one in page.context["shown"].records]
    assert [row["last_value"] for row in rows] == ["1.0", "2.0", "3.0"]


def test_a_list_says_corrected_and_raw_values(reader: Client) -> None:
    sensor = factories.make_sensor(value=20.0)
    factories.make_correction(sensor, offset=1.5)
    (row,) = rows_of(reader, "/sensors/?export=csv")
    assert (row["last_value"], row["raw_value"]) == ("21.5", "20.0")


def test_audit_goes_out_with_its_filters(reader: Client) -> None:
    for actor in ("anna", "bruno"):
        AuditEntry.objects.create(actor=actor, via="web", action="changed", kind="site", label="=1+1", details={"a": 1})
    (row,) = rows_of(reader, "/audit/?actor=bruno&export=csv")
    assert (row["actor"], row["label"], json.loads(row["details"])) == ("bruno", "'=1+1", {"a": 1})


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_carried_out_by_a_spreadsheet(sign: str) -> None:
    text = CsvWriter(["a", "b"]).block([[f"{sign}cmd|' /C calc'!A0", -1.5]]).decode()
    (cells,) = csv.reader(io.StringIO(text, newline=""))
    assert cells == [f"'{sign}cmd|' /C calc'!A0", "-1.5"]


def test_csv_is_that_of_rfc_4180() -> None:
    block = CsvWriter(["a"]).block([['say "no"'], ["a,b"], ["two\nlines"], [None], [True]])
    assert block == b'"say ""no"""\r\n"a,b"\r\n"two\nlines"\r\n""\r\ntrue\r\n'


def test_excel_in_italian_reads_its_own_form() -> None:
    writer = ExcelItalianWriter(["time", "value"])
    rows = [[NOON, 1234.5], [NOON + timedelta(microseconds=250_400), -0.25]]
    assert (writer.head() + writer.block(rows)).decode() == (
        "\ufefftime;value\r\n2026-05-01 14:00:00;1234,5\r\n2026-05-01 14:00:00,250;-0,25\r\n"
    )


def with_history(count: int = 3) -> SensorDevice:
    sensor = factories.make_sensor(name="t")
    factories.make_correction(sensor, gain=2.0, valid_from=NOON)
    Reading.objects.bulk_create(
        Reading(
            sensor=sensor, time=NOON + timedelta(seconds=at), digest=at, received_at=NOON, value=float(at),
            flags=ReadingFlag.OWN_TIME,
        )
        for at in range(count)
    )  # fmt: skip
    return sensor


@pytest.mark.database
def test_history_is_written_newest_first_across_its_pages(reader: Client) -> None:
    sensor = with_history(READINGS_AT_ONCE + 3)
    rows = rows_of(reader, f"/sensors/{sensor.pk}/export/?export=csv")
    assert [float(row["raw_value"]) for row in rows] == [float(at) for at in reversed(range(READINGS_AT_ONCE + 3))]
    assert (rows[-2]["time"], rows[-2]["value"], rows[-2]["own_time"]) == ("2026-05-01T12:00:01Z", "2.0", "true")
    part = rows_of(reader, f"/sensors/{sensor.pk}/export/?from=2026-05-01T12:00:01Z&to=2026-05-01T12:00:03Z&export=csv")
    assert [row["raw_value"] for row in part] == ["2.0", "1.0"]


@pytest.mark.database
def test_the_history_of_a_datalogger_is_merged_by_time(reader: Client) -> None:
    sensor = with_history(2)
    other = factories.make_sensor(sensor.datalogger, name="u")
    factories.make_reading(other, time=NOON + timedelta(seconds=0.5), value=7.0)
    rows = rows_of(reader, f"/dataloggers/{sensor.datalogger_id}/export/?export=csv")
    assert [(row["name"], row["raw_value"]) for row in rows] == [("t", "1.0"), ("u", "7.0"), ("t", "0.0")]
    assert not list(reading_rows([], None, None))


@pytest.mark.parametrize("form", ["csv", "excel-it", "jsonl"])
def test_what_goes_out_comes_back_in_uncorrected(reader: Client, form: str, tmp_path: Path) -> None:
    sensor = with_history()
    factories.make_reading(sensor, time=NOON - timedelta(days=1), value=None, text="=open")
    factories.make_reading(sensor, time=NOON + timedelta(microseconds=1_250_401), value=4.0)
    for hour in (0, 1):  # on this day 02:30 comes twice where the console stands
        factories.make_reading(sensor, time=datetime(2026, 10, 25, hour, 30, tzinfo=UTC), value=9.0)
    path = tmp_path / "history"
    path.write_bytes(download(reader, f"/sensors/{sensor.pk}/export/?export={form}").encode())
    before = list(Reading.objects.order_by("time").values_list("time", "value", "text"))
    Reading.objects.all().delete()
    for said in ("7 stored, 0 were", "0 stored, 7 were"):
        output = io.StringIO()
        call_command("import_readings", str(path), stdout=output)
        assert said in output.getvalue()
    assert list(Reading.objects.order_by("time").values_list("time", "value", "text")) == before


MOMENTS = st.integers(-2_100_000_000_000_000, 253_370_764_800_000_000)
"""From 1903 on; before, zones were not whole minutes apart."""


@settings(max_examples=60, deadline=None)
@given(
    form=st.sampled_from(list(WRITERS.values())),
    rows=st.lists(
        st.tuples(MOMENTS, MOMENTS, st.none() | st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=9)),
        max_size=4,
    ),
)
def test_readings_are_written_as_any_other_row(form: Any, rows: list[tuple[int, int, float | None, str]]) -> None:
    sensor = SensorDevice(pk=7, name="=t;,", unit='"')
    given_rows, plain = [], []
    for time, received_at, value, text in rows:
        said = None if value is not None else text
        given_rows.append((7, time, 0, received_at, value, said, ReadingFlag.OWN_TIME))
        times = from_us(time), from_us(received_at)
        exact = [times[0].replace(tzinfo=None).isoformat() + "Z"] if form is ExcelItalianWriter else []
        plain.append([7, "=t;,", '"', times[0], value, value, said, times[1], True, False, *exact])
    written = readings_writer(form, [sensor], {}).block(given_rows).decode()
    expected = form(READING_COLUMNS).block(plain).decode()
    as_cells = [
        [json.loads(line) for line in found.split("\n") if line] if form is JsonWriter else
        list(csv.reader(io.StringIO(found, newline=""), delimiter=form.delimiter))
        for found in (written, expected)
    ]  # fmt: skip
    assert as_cells[0] == as_cells[1]


def test_the_page_of_an_export_says_how_much_it_will_be(reader: Client) -> None:
    sensor = with_history()
    assert "3 readings" in reader.get(f"/sensors/{sensor.pk}/export/").content.decode()
    assert "no readings" in reader.get(f"/sensors/{sensor.pk}/export/?last=24h").content.decode()
    answer = reader.get(f"/sensors/{sensor.pk}/export/?from=2026-05-02T00:00&to=2026-05-01T00:00&export=csv")
    assert answer.status_code == 400
    assert "behind the start" in answer.content.decode()


def test_an_unknown_form_is_refused_and_a_stranger_gets_nothing(reader: Client, client: Client, stranger: Any) -> None:
    assert reader.get("/sensors/?export=xlsx").status_code == 400
    client.force_login(stranger)
    assert client.get("/sensors/?export=csv").status_code == 403
    client.logout()
    assert client.get("/sensors/?export=csv").status_code == 302


@pytest.mark.parametrize("writer", [CsvWriter, JsonWriter])
def test_a_file_that_breaks_off_says_so_in_its_last_line(writer: Callable[..., Any]) -> None:
    def failing() -> Any:
        yield [[1], [2]]
        raise OSError("gone")

    written = []
    with pytest.raises(OSError, match="gone"):
        written.extend(Export("x", failing(), writer(["n"])).blocks())
    assert "stopped here after 2 rows" in written[-1].decode()


def test_a_file_name_tells_what_it_is_and_breaks_no_header() -> None:
    assert Export('a"\r\nb: ü/../x', iter(()), CsvWriter(["n"])).file_name == "a-b-..-x.csv"


def test_columns_of_readings_are_known_to_the_import() -> None:
    assert {*READING_COLUMNS, EXACT} - {"name", "unit"} <= set(KNOWN)
