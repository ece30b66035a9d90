"""The list of devices as a spreadsheet, out and in again."""

import csv
import io
import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mqtt.exceptions import ServiceError
from mqtt.models import AuditEntry, Datalogger, Gateway, SensorDevice
from mqtt.services.device_list.plan import plan
from mqtt.services.device_list.reading import rows_of, text_of
from mqtt.services.device_list.table import COLUMNS, KINDS
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.database, pytest.mark.usefixtures("valkey")]


@pytest.fixture
def sensor() -> SensorDevice:
    factories.make_site(name="Mill")
    gateway = factories.make_gateway(factories.make_connection(name="Plant"), key="mill/g1", label="=cmd|' /C calc'!A0")
    box = factories.make_datalogger(gateway=gateway, key="mill/d1", label='Vault, 3; "old"')
    factories.make_note(box, text="-1 was read\nhere")
    return factories.make_sensor(box, name="level", unit="m", kind="", label="Crack à")


def taken(web: Client, form: str = "csv") -> bytes:
    answer = web.get("/devices/file/", {"form": form})
    assert answer["Content-Disposition"] == 'attachment; filename="devices.csv"'
    return answer.content


def table(data: bytes, delimiter: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=delimiter))


def written(rows: list[dict[str, str]], delimiter: str = ",", **changes: dict[str, str]) -> str:
    """The rows with new cells: {type: {column: cell}}."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, delimiter=delimiter)
    writer.writeheader()
    writer.writerows({**row, **changes.get(row["type"], {})} for row in rows)
    return stream.getvalue()


def given_back(web: Client, data: bytes | str) -> str:
    raw = data.encode() if isinstance(data, str) else data
    answer = web.post("/devices/upload/", {"file": SimpleUploadedFile("devices.csv", raw, "text/csv")})
    assert answer.status_code == 200
    return answer.content.decode()


def confirmed(web: Client, page: str) -> str:
    """Press the button of the preview."""
    fields = dict(re.findall(r'<input type="hidden" name="(digest|changes)" value="([^"]*)"', page))
    sent = {name: unescape(value) for name, value in fields.items()}
    return web.post("/devices/upload/", sent, follow=True).content.decode()


@pytest.mark.parametrize(("form", "delimiter"), [("csv", ","), ("excel", ";")])
def test_what_is_taken_and_given_back_untouched_changes_nothing(
    web: Client, sensor: SensorDevice, form: str, delimiter: str
) -> None:
    data = taken(web, form)
    assert data.startswith(b"\xef\xbb\xbf") == (form == "excel")
    gateway, box, level = table(data, delimiter)
    assert gateway["label"] == "'=cmd|' /C calc'!A0", "a spreadsheet must not carry it out"
    assert box["notes"] == "'-1 was read here"
    assert (level["type"], level["name"], level["unit"], level["label"]) == ("sensor", "level", "m", "Crack à")
    assert "Nothing would change." in given_back(web, data)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_an_edited_file_is_shown_first_and_stored_on_the_second_click(
    web: Client, sensor: SensorDevice, encoding: str
) -> None:
    rows = table(taken(web, "excel"), ";")
    delimiter = "\t" if encoding == "utf-16" else ";"
    text = written(
        rows, delimiter,
        gateway={"label": "North", "site": "Mill"},
        datalogger={"label": "", "expected_interval": "60,0"},
        sensor={"label": "Füße", "unit": "cm", "decimals": "2", "kind": "'=distance"},
    )  # fmt: skip
    page = given_back(web, text.encode(encoding))
    assert "Devices that change: 3, in 8 fields." in page
    assert "<td>Crack à</td><td><b>Füße</b></td>" in page
    assert not AuditEntry.objects.exists()
    assert "3 devices are changed." in confirmed(web, page)
    gateway, box = Gateway.objects.get(), Datalogger.objects.get()
    assert (gateway.label, str(gateway.site), box.label, box.expected_interval) == ("North", "Mill", "", 60)
    sensor.refresh_from_db()
    assert (sensor.label, sensor.unit, sensor.decimals, sensor.kind) == ("Füße", "cm", 2, "=distance")
    assert AuditEntry.objects.get(kind="gateway").details["site"] == {"old": None, "new": "Mill"}
    assert AuditEntry.objects.get(kind="sensor").details["unit"] == {"old": "m", "new": "cm"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"id": "999999"}, "There is no sensor with the id 999999."),
        ({"id": "1.5"}, "The id is a whole number"),
        ({"id": "²"}, "The id is a whole number"),
        ({"type": "pump"}, "The type is gateway, datalogger or sensor."),
        ({"key": "mill/d2#level"}, "key cannot be changed here, it says which device this is: mill/d1#level."),
        ({"name": "crack"}, "name cannot be changed here"),
        ({"connection": "Other"}, "connection cannot be changed here"),
        ({"site": "Mill"}, "A sensor has no site."),
        ({"decimals": "many"}, "decimals: "),
        ({"decimals": "10"}, "decimals: "),
        ({"expected_interval": "-5"}, "expected_interval: "),
        ({"unit": "x" * 41}, "unit: "),
    ],
)
def test_a_row_that_cannot_be_is_named_and_nothing_is_stored(
    web: Client, sensor: SensorDevice, change: dict[str, str], said: str
) -> None:
    page = given_back(web, written(table(taken(web)), gateway={"label": "North"}, sensor=change))
    assert f'<td class="num">4</td><td>{said}' in page
    assert "Make these changes" not in page
    assert Gateway.objects.get().label != "North"


def test_what_is_gone_is_named_in_the_readers_language(web: Client, sensor: SensorDevice) -> None:
    rows = written(table(taken(web)), sensor={"id": "999999"})
    web.cookies["django_language"] = "it"
    assert "Non esiste un sensore con l’id 999999." in given_back(web, rows)


def test_a_device_twice_a_missing_site_and_own_columns_are_said(web: Client, sensor: SensorDevice) -> None:
    rows = table(taken(web))
    page = given_back(web, written([*rows, rows[0]], gateway={"site": "Nowhere"}))
    assert "There is no site Nowhere." in page
    assert "The same device stands in row 2 already." in page
    page = given_back(web, f"sep=,\nType,ID,remarks,label\nsensor,{sensor.pk},mine,New\n\n,,,\n")
    assert "left aside: remarks" in page
    assert "<b>New</b>" in page


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "Choose a file first."),
        (b"label;unit\nx;y\n", "these are missing: type, id"),
        (b"type,id,label,label\n", "stand twice in the first row: label"),
        (b"type,id\n\0", "cannot be read as CSV"),
        (b'type,id\nsensor,"' + b"x" * 200_000, "cannot be read as CSV"),
        (b"PK\x03\x04\x14\x00\x06\x00", "cannot be read as CSV"),
        (b"x" * (4 * 1024 * 1024 + 1), "more than 4 MB"),
    ],
)
def test_what_is_no_such_file_is_answered_in_words(web: Client, data: bytes, said: str) -> None:
    assert said in given_back(web, data)


def test_what_somebody_changed_meanwhile_is_looked_at_again(web: Client, sensor: SensorDevice) -> None:
    page = given_back(web, written(table(taken(web)), sensor={"label": "Mine"}))
    SensorDevice.objects.update(label="Theirs")
    page = confirmed(web, page)
    assert "Somebody changed something meanwhile" in page
    assert SensorDevice.objects.get().label == "Theirs"
    confirmed(web, page)
    assert SensorDevice.objects.get().label == "Mine"


def test_looking_takes_the_file_and_only_administrators_give_it_back(
    client: Client, operator: User, sensor: SensorDevice
) -> None:
    client.force_login(operator)
    assert len(table(taken(client))) == 3
    assert b"Give it back" not in client.get("/devices/").content
    assert client.post("/devices/upload/", {"changes": "type,id\n"}).status_code == 403


def test_thousands_of_rows_go_out_and_come_in_with_few_questions(
    web: Client, sensor: SensorDevice, django_assert_max_num_queries: Any
) -> None:
    box = sensor.datalogger
    SensorDevice.objects.bulk_create(
        SensorDevice(connection=box.connection, datalogger=box, key=f"{box.key}#{n}", name=str(n)) for n in range(2_000)
    )
    with django_assert_max_num_queries(60):
        rows = table(taken(web))
    assert len(rows) == 2_003
    with django_assert_max_num_queries(60):
        page = given_back(web, written(rows, sensor={"label": "All"}))
    assert "And 1,501 more." in page
    with django_assert_max_num_queries(60):
        confirmed(web, page)
    assert SensorDevice.objects.filter(label="All").count() == 2_001
    assert AuditEntry.objects.count() == 2_001


@settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    data=st.one_of(
        st.binary(max_size=300),
        st.lists(st.lists(st.text(max_size=12), max_size=8), max_size=6).map(
            lambda rows: ("type;id;label;site;decimals\n" + "\n".join(";".join(row) for row in rows)).encode(
                "utf-8", "surrogatepass"
            )
        ),
    )
)
def test_whatever_is_given_back_is_read_or_refused(data: bytes) -> None:
    try:
        rows_of(text_of(data))
        made = plan(text_of(data), {name: kind.model.objects.all() for name, kind in KINDS.items()})
    except ServiceError:
        return
    assert not made.changes
