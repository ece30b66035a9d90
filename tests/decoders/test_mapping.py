from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mqtt.decoders.base import Content
from mqtt.decoders.mapping import MappingDecoder, Rules, ValueRule, path_error, pattern_error
from mqtt.decoders.memory import Memory
from mqtt.decoders.registry import decode
from mqtt.exceptions import UndecodableError
from mqtt.messages import Decoded
from tests.decoders.helpers import NOW, message, values

TEN = 1_789_984_800_000_000


def mapped(topic: str, payload: str | bytes, pattern: str = "#", **rules: Any) -> Decoded:
    memory = Memory(lambda _topic: ZoneInfo("Europe/Rome"))
    rules.setdefault("values", (ValueRule("v", "value"),))
    memory.use_mappings((MappingDecoder(Rules(7, pattern, **rules)),))
    return decode(message(topic, payload), memory)


def test_values_are_picked_by_path_and_named_by_hand() -> None:
    rules = (ValueRule("air.t", "temperature", unit="°C"), ValueRule('"a b"[1]', "second"), ValueRule("gone", "none"))
    result = mapped("x/box", '{"air": {"t": "21.5"}, "a b": [1, true]}', values=rules)
    assert values(result) == {"temperature": 21.5, "second": 1.0}
    assert result.readings[0].unit == "°C"
    assert (result.decoder, result.readings[0].device.key) == ("mapping:7", "x/box")


def test_named_levels_make_device_and_value_names() -> None:
    result = mapped(
        "plant/p7/box/temp",
        '{"v": 3}',
        "plant/{hall}/{box}/{what}",
        device="{hall} {box}",
        values=(ValueRule("v", "{what}"),),
    )
    (reading,) = result.readings
    assert reading.device[:2] == ("plant/p7/box", "p7 box")
    assert reading.name == "temp"


def test_a_list_holds_devices_and_moments() -> None:
    payload = (
        '{"rows": [{"sn": 12, "n": "t", "v": 1, "at": "2026-09-21T10:00:00Z"}, {"sn": "B", "n": "h", "v": 2}, {}]}'
    )
    result = mapped(
        "t", payload, items_path="rows", device_path="sn", time_path="at", values=(ValueRule("v", name_path="n"),)
    )
    assert [(one.device.key, one.device.identifier, one.name, one.value, one.time_us) for one in result.readings] == [
        ("t#12", "12", "t", 1.0, TEN),
        ("t#B", "B", "h", 2.0, None),
    ]


def test_text_in_columns_is_a_table() -> None:
    rules = (ValueRule("[1]", "level", unit="m"), ValueRule("[2]", "state"))
    result = mapped(
        "log", "21/09/2026 12:00;1,25;open\n21/09/2026 12:01;-3,5;shut\n\n", separator=";", decimal_comma=True,
        time_path="[0]", time_format="%d/%m/%Y %H:%M", values=rules,
    )  # fmt: skip
    assert [(one.name, one.value, one.text) for one in result.readings] == [
        ("level", 1.25, None), ("state", None, "open"), ("level", -3.5, None), ("state", None, "shut"),
    ]  # fmt: skip
    assert [one.time_us for one in result.readings[::2]] == [TEN, TEN + 60_000_000]


def test_a_bare_value_is_the_whole_document() -> None:
    assert values(mapped("a/t", "21.5", values=(ValueRule("@", "t"),))) == {"t": 21.5}
    assert values(mapped("a/t", "on", values=(ValueRule("@", "t"),))) == {"t": 1.0}


@pytest.mark.parametrize(
    ("pattern", "topic", "covers"),
    [("a/#", "a", True), ("a/#", "a/b/c", True), ("a/#", "ab", False), ("a/+/c", "a/b/c", True),
     ("a/+/c", "a//c", True), ("a/{x}/c", "a//c", False), ("x.y", "xzy", False), ("a-{x}", "a-7", True),
     ("#", "any/thing", True), ("+", "a/b", False)],
)  # fmt: skip
def test_a_pattern_covers_what_a_filter_would(pattern: str, topic: str, covers: bool) -> None:
    assert MappingDecoder(Rules(1, pattern, ())).knows_topic(topic) is covers


@pytest.mark.parametrize(
    ("pattern", "code"),
    [("", "filter_empty"), ("a/#/b", "filter_hash_last"), ("{x}/{x}", "pattern_twice"), ("a+/b", "pattern_level"),
     ("{1x}", "pattern_level"), ("a/{x", "pattern_level"), ("a/{x}/#", None), ("{x}-{y}/+", None)],
)  # fmt: skip
def test_a_bad_pattern_says_why(pattern: str, code: str | None) -> None:
    assert pattern_error(pattern) == code


def test_a_bad_path_says_why() -> None:
    assert path_error("a.b[0]") == ""
    assert path_error("a..b") != ""


def test_an_expression_that_doubles_its_message_again_and_again_is_refused() -> None:
    assert "1048576 copies" in path_error("|".join(["[@,@][]"] * 20))
    assert "copies" in path_error("|".join(["to_string([@])"] * 4))
    for glue in ("@", "a", "`" + '"' + "x" * 21 + '"' + "`"):
        assert "join()" in path_error(f"join({glue}, b)")
    for path in (
        "join(', ', names[].to_string(@))",
        "a[0:5:2]",
        "a[?x > `3`].y | [0]",
        "max_by(a, &b).c",
        "a || b && !c",
        "`[1, 2]`",
        "sort(keys(@))",
        "*.a",
    ):
        assert path_error(path) == ""
    assert path_error("[].{id: dev.id, where: [lat, lon], parts: [a, b, c].{x: [p, q]}}") == ""
    assert path_error("{" + ", ".join(f"k{n}: [a, b, c]" for n in range(20)) + "}") == ""


@pytest.mark.parametrize(
    ("payload", "path", "code"),
    [('{"v": 1', "v", "not_json"), ('{"w": 1}', "v", "mapping_found_nothing"),
     ('{"v": "x"}', "abs(v)", "mapping_failed"), ('{"v": {"a": 1}}', "v", "mapping_found_nothing"),
     (b"\xff", "@", "not_utf8")],
)  # fmt: skip
def test_a_message_that_does_not_fit_says_why(payload: str | bytes, path: str, code: str) -> None:
    with pytest.raises(UndecodableError) as caught:
        mapped("t", payload, values=(ValueRule(path, "x"),))
    assert caught.value.code == code


def test_a_chosen_decoder_goes_before_a_mapping() -> None:
    memory = Memory()
    memory.use_mappings((MappingDecoder(Rules(1, "#", (ValueRule("v", "mine"),))),))
    assert values(decode(message("t", '{"v": 1}'), memory, "json")) == {"v": 1.0}


@given(
    payload=st.binary(max_size=200) | st.from_regex(r'\{"v": .{0,40}\}', fullmatch=True),
    separator=st.sampled_from(["", ";", ","]),
    time_format=st.sampled_from(["", "%Y", "%d/%m/%Y %H:%M", "%Q", "%"]),
)
@settings(deadline=None, max_examples=150)
def test_no_payload_raises_anything_else(payload: bytes | str, separator: str, time_format: str) -> None:
    data = payload.encode() if isinstance(payload, str) else payload
    rules = Rules(1, "#", (ValueRule("v", "x"), ValueRule("[0]", "y"), ValueRule("@", "z")), time_path="@",
                  time_format=time_format, separator=separator)  # fmt: skip
    content = Content(message("t", data, received_us=NOW), Memory())
    try:
        for reading in MappingDecoder(rules).decode(content).readings:
            assert (reading.value is None) != (reading.text is None)
    except UndecodableError:
        pass
