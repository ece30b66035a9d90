"""History back in, from the forms in which it goes out, and from hostile files."""

import io
from contextlib import suppress
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mqtt.enums import ReadingFlag
from mqtt.models import Reading, SensorDevice
from mqtt.services.transfer.reading_files import Line, LineError, Refusal, lines
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def sensor() -> SensorDevice:
    connection = factories.make_connection(name="Plant")
    return factories.make_sensor(factories.make_datalogger(connection), name="t")


def store(text: str, tmp_path: Path, *words: str) -> str:
    path = tmp_path / "readings"
    path.write_bytes(text.encode())
    output = io.StringIO()
    call_command("import_readings", str(path), *words, stdout=output, stderr=output)
    return output.getvalue()


def values() -> list[float | str | None]:
    return [one.text if one.value is None else one.value for one in Reading.objects.order_by("time")]


def test_csv_and_json_lines_come_in_and_twice_is_once(sensor: SensorDevice, tmp_path: Path) -> None:
    as_csv = f"time,sensor,value,text\n2026-05-01T12:00:00Z,{sensor.pk},21.5,\n2026-05-01T12:01:00Z,{sensor.pk},,open\n"
    assert "2 stored, 0 were there already" in store(as_csv, tmp_path)
    as_json = (
        f'{{"time": "2026-05-01T14:00:00+02:00", "sensor": {sensor.pk}, "value": 21.5, "received_at": null}}\n\n'
        f'{{"time": "2026-05-01T12:02:00Z", "sensor": {sensor.pk}, "value": 0, "uncertain": true, "own_time": false}}\n'
    )
    assert "1 stored, 1 were there already" in store(as_json, tmp_path)
    assert values() == [21.5, "open", 0.0]
    assert [one.flags for one in Reading.objects.order_by("time")] == [1, 1, ReadingFlag.UNCERTAIN]


def test_a_sensor_is_found_by_connection_and_key_on_another_console(sensor: SensorDevice, tmp_path: Path) -> None:
    text = f"connection,key,time,value,unit\nPlant,{sensor.key},2026-05-01T12:00:00Z,7,°C\n"
    assert "1 stored" in store(text, tmp_path)
    assert Reading.objects.get().sensor_id == sensor.pk


def test_the_form_for_excel_in_italian_is_read_back(sensor: SensorDevice, tmp_path: Path) -> None:
    text = f"\ufefftime;sensor;value;text\r\n01/05\r\n2026-05-01 12:00:00;{sensor.pk};1.234,5;\r\n"
    text += f"2026-05-01 12:00:01;{sensor.pk};;'=1+1\r\n"
    with pytest.raises(CommandError, match="1 line left out"):
        store(text, tmp_path)
    assert values() == [1234.5, "=1+1"]
    assert Reading.objects.order_by("time")[0].time.isoformat() == "2026-05-01T10:00:00+00:00"


def test_the_exact_time_counts_where_excel_has_saved_the_file(sensor: SensorDevice, tmp_path: Path) -> None:
    text = "time;sensor;value;own_time;time_utc\r\n"
    text += f"25/10/2026 02:30;{sensor.pk};1,5;VERO;2026-10-25T01:30:00.250401Z\r\n"
    assert "1 stored" in store(text, tmp_path)
    assert "0 stored, 1 were there already" in store(text, tmp_path)
    found = Reading.objects.get()
    assert (found.time.isoformat(), found.flags) == ("2026-10-25T01:30:00.250401+00:00", ReadingFlag.OWN_TIME)


def test_a_trial_stores_nothing(sensor: SensorDevice, tmp_path: Path) -> None:
    text = f"time,sensor,value\n2026-05-01T12:00:00Z,{sensor.pk},1\n"
    assert "1 would be stored" in store(text, tmp_path, "--dry-run")
    assert not Reading.objects.exists()


def test_bad_lines_are_named_and_good_ones_are_kept(sensor: SensorDevice, tmp_path: Path) -> None:
    rows = [
        f"2026-05-01T12:00:00Z,{sensor.pk},1,", f"yesterday,{sensor.pk},1,", "2026-05-01T12:00:00Z,999999,1,",
        f"2026-05-01T12:00:00Z,{sensor.pk},nan,", f"2026-05-01T12:00:00Z,{sensor.pk},,", f"9999-99-99,{sensor.pk},1,",
        f"2026-05-01T12:00:00Z,{sensor.pk},1,both", "2026-05-01T12:00:00Z,x,1,", f"0001-01-02T00:00:00Z,{sensor.pk},2,",
    ]  # fmt: skip
    output = io.StringIO()
    path = tmp_path / "rows.csv"
    path.write_text("\n".join(["time,sensor,value,text", *rows]))
    with pytest.raises(CommandError, match="7 lines left out"):
        call_command("import_readings", str(path), stdout=output, stderr=output)
    said = output.getvalue()
    assert "2 stored" in said
    for words in ("line 3: time must", "line 4: there is no sensor 999999", "line 5: 'nan'", "line 6: either a value"):
        assert words in said


def test_a_cell_too_many_is_a_line_that_is_left_out(sensor: SensorDevice, tmp_path: Path) -> None:
    text = f"time,sensor,value\n2026-05-01T12:00:00Z,{sensor.pk},21,5\n2026-05-01T12:00:01Z,{sensor.pk},22,,\n"
    with pytest.raises(CommandError, match="1 line left out"):
        store(text, tmp_path)
    assert values() == [22.0]


def test_the_current_value_stays_what_the_device_said(sensor: SensorDevice, tmp_path: Path) -> None:
    before = sensor.state.value
    store(f"time,sensor,value\n2026-05-01T12:00:00Z,{sensor.pk},1\n", tmp_path)
    sensor.state.refresh_from_db()
    assert sensor.state.value == before


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "a,b\n1,2",
        "time,value\n2026-01-01,1",
        "time,sensor\n2026-01-01,1",
        "nonsense",
        "time,sensor,value,value\n",
    ],
)
def test_a_file_of_another_form_says_what_is_missing(text: str, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="readings: "):
        store(text, tmp_path)


def test_a_file_that_is_not_there_or_no_text_says_so(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="There is no file"):
        call_command("import_readings", str(tmp_path / "missing"))
    with pytest.raises(CommandError, match="cannot be read: Is a directory"):
        call_command("import_readings", str(tmp_path))
    (tmp_path / "bytes").write_bytes(b"time,sensor,value\n\xff\xfe\n")
    with pytest.raises(CommandError, match="at line 1 or soon after is not UTF-8"):
        call_command("import_readings", str(tmp_path / "bytes"))


@pytest.mark.parametrize(
    "begin", ["time,sensor,value\n2026-05-01T12:00:00Z,1,", '{"time": "2026-05-01"}\n{"text": "', ""]
)
def test_a_line_that_does_not_fit_into_memory_is_not_read_to_its_end(begin: str) -> None:
    class Endless(io.StringIO):
        taken = 0

        def readline(self, size: int | None = -1) -> str:
            self.taken += 1
            return super().readline(size) or "9" * (size or 0)

    stream = Endless(begin)
    with pytest.raises(LineError, match="longer than 1 MB"):
        list(lines(stream))
    assert stream.taken <= 4


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_a_moment_that_some_zone_has_no_date_for_is_a_line_that_is_left_out(moment: str) -> None:
    (found,) = lines(io.StringIO(f"connection,key,time,value\nA,b,{moment},1\n"))
    assert isinstance(found, Refusal)
    assert "time must be written like" in found.why


def test_a_nul_in_a_name_is_a_line_that_is_left_out(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="1 line left out"):
        store("connection,key,time,value\nA\0,b\0,2026-01-01T00:00:00Z,1\n", tmp_path)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    head=st.sampled_from(["time,sensor,value,text\n", "time;connection;key;value\n", '{"time": "2026-01-01"}\n', ""]),
    body=st.text(alphabet=st.sampled_from("0123456789,;:\"'\n\r\t{}[]-TZ.eE+ax=\0\ud800é "), max_size=200),
)
def test_any_file_is_read_line_by_line(head: str, body: str) -> None:
    with suppress(LineError):
        for one in lines(io.StringIO(head + body, newline="")):
            assert isinstance(one, Line | Refusal)
