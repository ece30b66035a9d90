from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from line_protocol_parser import parse_line

from mqtt.decoders import lineprotocol
from mqtt.exceptions import UndecodableError
from tests.decoders.helpers import decoded, values
from tests.decoders.test_registry import check

TEN = 1_789_984_800_000_000
"""2026-09-21T10:00:00Z"""


def test_tags_say_who_and_fields_are_readings() -> None:
    result = decoded("site/influx", r'weather,host=roof\ 1,side=n temp_C=21.5,ok=t,n=3i,code="42"')
    assert result.decoder == "influx"
    assert values(result) == {"weather.temp_C": 21.5, "weather.ok": 1.0, "weather.n": 3.0, "weather.code": "42"}
    assert result.readings[0].device == ("site/influx#host=roof 1,side=n", "roof 1", "", "")
    assert {one.name: one.unit for one in result.readings}["weather.temp_C"] == "°C"


def test_without_tags_the_topic_names_the_device_and_other_tags_keep_series_apart() -> None:
    assert decoded("site/influx", "cpu value=1").readings[0].device == ("site/influx", "influx", "", "")
    result = decoded("site/influx", "cpu,core=0 value=1\ncpu,core=1 value=2")
    assert len({one.device.key for one in result.readings}) == 2


@pytest.mark.parametrize("time", ["1789984800", "1789984800000", "1789984800000000", "1789984800000000000"])
def test_the_precision_of_the_time_is_told_by_its_magnitude(time: str) -> None:
    assert decoded("t", f"cpu value=1 {time}").readings[0].time_us == TEN


@pytest.mark.parametrize("bad", ["cpu", "cpu value=", "cpu value=9223372036854775808i", "a b c", "# note", "m v=1 1.5"])
def test_a_bad_line_does_not_lose_the_good_ones(bad: str) -> None:
    assert values(decoded("t", f"a x=1\n{bad}\nb y=2", chosen="influx")) == {"a.x": 1.0, "b.y": 2.0}


def test_a_quoted_text_may_hold_line_breaks() -> None:
    assert values(decoded("t", 'a x="4\n2",y=1\nb z=3')) == {"a.x": "4\n2", "a.y": 1.0, "b.z": 3.0}


def test_a_quote_that_nobody_closes_does_not_lose_the_lines_after_it() -> None:
    rest = "\n".join(f"b{number:04} z={number}" for number in range(1_000))
    found = values(decoded("t", f'a x="4\n{rest}', chosen="influx"))
    assert found["b0999.z"] == 999.0


def test_the_parser_is_never_given_a_line_that_it_would_take_seconds_for(monkeypatch: pytest.MonkeyPatch) -> None:
    given = []

    def parse(line: str) -> Any:
        given.append(len(line))
        return parse_line(line)

    monkeypatch.setattr(lineprotocol, "parse_line", parse)
    long = "m,a=1 " + ",".join(f"x{number}=1" for number in range(100_000))
    assert values(decoded("t", f"a x=1\n{long}\nb y=2", chosen="influx")) == {"a.x": 1.0, "b.y": 2.0}
    assert max(given) <= lineprotocol.LONGEST_LINE


def test_only_bad_lines_are_not_understood() -> None:
    with pytest.raises(UndecodableError):
        decoded("t", "cpu value=9223372036854775808i")


@pytest.mark.parametrize("text", ["windy", "a = b", "T=5", "21.5 C", "key=value other"])
def test_other_texts_are_left_to_others(text: str) -> None:
    assert decoded("a/b", text).decoder == "scalar"


@given(st.text(alphabet='ab,= "\\\n1i.#t', max_size=60))
def test_any_text_decodes_or_is_undecodable(text: str) -> None:
    check("a/b", f"m f=1\n{text}".encode())
    check("a/b", text.encode())


def test_telegrafs_json_is_read_as_its_lines_are() -> None:
    point = '{"fields": {"used": 44.5, "mode": "auto"}, "name": "mem", "tags": {"host": "h7"}, "timestamp": 1790000000}'
    line = decoded("agent", 'mem,host=h7 used=44.5,mode="auto" 1790000000')
    for text in (point, f'{{"metrics": [{point}]}}'):
        assert sorted(decoded("agent", text).readings, key=str) == sorted(line.readings, key=str)


def test_fields_without_a_name_and_tags_are_no_point() -> None:
    assert decoded("agent", '{"fields": {"used": 44.5}}').decoder == "json"
    assert decoded("agent", '{"metrics": [{"fields": {"used": 44.5}}]}').decoder == "json"
