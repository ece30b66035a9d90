"""Sparkplug B: births, aliases, deaths, sequence numbers, datatypes and hostile payloads."""

import struct
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mqtt.decoders.memory import Memory
from mqtt.decoders.registry import decode
from mqtt.decoders.sparkplug.schema import Payload
from mqtt.exceptions import UndecodableError
from mqtt.messages import Decoded, InboundMessage
from tests.decoders.helpers import NOW, decoded, values

NOW_MS = NOW // 1000
GROUP = "spBv1.0/Plant 1"
INT8, INT16, INT32, INT64, UINT32, UINT64, FLOAT, DOUBLE, BOOLEAN, STRING, DATE_TIME = (
    1,
    2,
    3,
    4,
    7,
    8,
    9,
    10,
    11,
    12,
    13,
)
DATA_SET, BYTES, TEMPLATE = 16, 17, 19


def metric(name: str = "", datatype: int = DOUBLE, properties: dict[str, Any] | None = None, **fields: Any) -> Any:
    one = Payload().metrics.add(datatype=datatype, **fields)
    if name:
        one.name = name.encode()
    for key, value in (properties or {}).items():
        one.properties.keys.append(key.encode())
        kind = "string_value" if isinstance(value, bytes) else "int_value"
        one.properties.values.add(type=STRING if isinstance(value, bytes) else INT32, **{kind: value})
    return one


def payload(*metrics: Any, seq: int | None = 0, timestamp: int = NOW_MS) -> bytes:
    whole = Payload(timestamp=timestamp)
    if seq is not None:
        whole.seq = seq
    for one in metrics:
        whole.metrics.add().CopyFrom(one)
    return bytes(whole.SerializeToString())


def birth(memory: Memory, *metrics: Any, bd_seq: int = 7, device: str = "") -> Decoded:
    named = [] if device else [metric("bdSeq", UINT64, long_value=bd_seq)]
    topic = f"{GROUP}/DBIRTH/press/{device}" if device else f"{GROUP}/NBIRTH/press"
    return decoded(topic, payload(*named, *metrics, seq=1 if device else 0), memory=memory)


def data(memory: Memory, *metrics: Any, seq: int = 2, device: str = "", received_us: int = NOW, **more: Any) -> Decoded:
    topic = f"{GROUP}/DDATA/press/{device}" if device else f"{GROUP}/NDATA/press"
    message = InboundMessage(1, topic, payload(*metrics, seq=seq), 0, False, received_us, **more)
    return decode(message, memory)


def varint(number: int) -> bytes:
    head = b""
    while number > 127:
        head += bytes([number % 128 | 128])
        number //= 128
    return head + bytes([number])


def test_bytes_written_by_hand_are_read() -> None:
    """{timestamp 1790000000000, metrics [{name "kW", datatype 10, double 1.5}], seq 3}, independent of our schema."""
    inner = b"\x0a\x02kW" + b"\x20\x0a" + b"\x69" + struct.pack("<d", 1.5)
    raw = b"\x08" + varint(1_790_000_000_000) + b"\x12" + bytes([len(inner)]) + inner + b"\x18\x03"
    (reading,) = decoded(f"{GROUP}/NDATA/press", raw).readings
    assert (reading.name, reading.value, reading.time_us) == ("kW", 1.5, 1_790_000_000_000_000)


def test_a_birth_brings_node_and_readings_and_keeps_controls_apart() -> None:
    memory = Memory()
    result = birth(
        memory,
        metric("Node Control/Rebirth", BOOLEAN, boolean_value=False),
        metric("Properties/Hardware Make", STRING, string_value=b"Acme"),
        metric("Properties/Kernel", STRING, string_value=b"6.1"),
        metric("Firmware Version", STRING, string_value=b"2.4"),
        metric("oil/temperature", FLOAT, {"engUnit": b"degC"}, float_value=81.3),
    )
    assert values(result) == {"oil/temperature": 81.3}
    (reading,) = result.readings
    assert (reading.unit, reading.device) == ("°C", (f"{GROUP}/press", "Plant 1/press", "", ""))
    assert result.facts[0].facts == {"manufacturer": "Acme", "kernel": "6.1", "firmware": "2.4"}
    assert [(one.availability, one.is_gateway) for one in result.availability] == [("online", True)]


def test_a_device_belongs_to_its_node_and_is_known_from_its_birth() -> None:
    result = birth(Memory(), metric("speed", INT32, int_value=5), device="belt")
    (said,) = result.availability
    assert said.device == (f"{GROUP}/press/belt", "Plant 1/press/belt", f"{GROUP}/press", "Plant 1/press")
    assert (said.availability, said.announces, said.is_gateway) == ("online", True, False)


def test_data_by_alias_has_the_name_type_and_unit_of_the_birth() -> None:
    memory = Memory()
    birth(memory, metric("level", INT16, {"engUnit": b"mm"}, alias=11, int_value=5))
    birth(memory, metric("belt/speed", INT8, alias=12, int_value=1), device="belt")
    first = data(memory, metric(datatype=0, alias=11, int_value=0xFFFF))
    assert [(one.name, one.value, one.unit) for one in first.readings] == [("level", -1.0, "mm")]
    second = data(memory, metric(datatype=0, alias=12, int_value=0xFE), device="belt", seq=3)
    assert values(second) == {"belt/speed": -2.0}
    assert not [*first.requests, *second.requests]


def test_aliases_of_another_node_are_not_mixed_up() -> None:
    memory = Memory()
    birth(memory, metric("level", alias=11, double_value=5))
    other = decoded(f"{GROUP}/NDATA/saw", payload(metric(alias=11, double_value=2)), memory=memory)
    assert values(other) == {"alias:11": 2.0}


def test_data_before_the_birth_is_kept_and_a_rebirth_asked_for_once_in_five_minutes() -> None:
    memory = Memory()
    first = data(memory, metric(alias=11, double_value=2.5), seq=4)
    assert values(first) == {"alias:11": 2.5}
    (request,) = first.requests
    assert request.topic == f"{GROUP}/NCMD/press"
    (asked,) = Payload.FromString(request.payload).metrics
    assert (asked.name, asked.datatype, asked.boolean_value) == (b"Node Control/Rebirth", BOOLEAN, True)
    assert data(memory, metric(alias=11, double_value=2.5), seq=4).requests  # the same message tried again
    minute = 60_000_000
    assert not data(memory, metric(alias=11, double_value=3), seq=5, received_us=NOW + minute).requests
    assert data(memory, metric(alias=11, double_value=3), seq=6, received_us=NOW + 6 * minute).requests


@pytest.mark.parametrize("flag", ["dup", "redelivered", "retain", "kept_id"])
def test_old_messages_ask_for_nothing(flag: str) -> None:
    message = InboundMessage(1, f"{GROUP}/NDATA/press", payload(metric(alias=1, double_value=1)), 0, False, NOW)
    setattr(message, flag, 1)
    assert not decode(message, Memory()).requests


def test_a_large_birth_is_announced_in_parts_and_a_smaller_one_takes_them_back() -> None:
    memory = Memory()
    birth(memory, *[metric(f"tag {number}", INT32, alias=number, int_value=1) for number in range(3000)])
    assert values(data(memory, metric(datatype=0, alias=2999, int_value=7))) == {"tag 2999": 7.0}
    assert memory.get("sparkplug", "Plant 1/press#3")
    birth(memory, metric("tag 1", INT32, alias=1, int_value=1))
    assert memory.get("sparkplug", "Plant 1/press#3") is None
    assert values(data(memory, metric(datatype=0, alias=1, int_value=7))) == {"tag 1": 7.0}


def test_what_a_birth_announces_fits_its_bound() -> None:
    long = [metric("x" * 100 + str(number), INT32, {"engUnit": b"m3/h"}, alias=number) for number in range(2000)]
    assert all(len(str(said.data)) < 64 * 1024 for said in birth(Memory(), *long).announcements)


def test_deaths_take_down_the_device_or_the_node_with_all_behind_it() -> None:
    device = decoded(f"{GROUP}/DDEATH/press/belt", payload(seq=3))
    assert [(one.device.identifier, one.is_gateway) for one in device.availability] == [("Plant 1/press/belt", False)]
    node = decoded(f"{GROUP}/NDEATH/press", payload(metric("bdSeq", UINT64, long_value=7), seq=None))
    said = [(one.device.key, one.availability.value, one.is_gateway) for one in node.availability]
    assert said == [(f"{GROUP}/press", "offline", True), (f"{GROUP}/press", "offline", False)]


def test_the_last_will_of_the_session_before_is_no_death() -> None:
    memory = Memory()
    birth(memory, bd_seq=0)
    for bd_seq, count in ((255, 0), (0, 2), (40, 2)):
        will = payload(metric("bdSeq", UINT64, long_value=bd_seq), seq=None)
        assert len(decoded(f"{GROUP}/NDEATH/press", will, memory=memory).availability) == count


def test_a_gap_in_the_sequence_is_a_fact_of_the_node_and_asks_for_a_rebirth() -> None:
    memory = Memory()
    birth(memory, metric("level", alias=11, double_value=5))
    first = data(memory, metric(alias=11, double_value=6), seq=1)
    assert not [*first.facts, *first.requests]
    gap = data(memory, metric(alias=11, double_value=7), seq=5, received_us=NOW + 1)
    assert gap.facts[0].facts == {"sequence_gaps": 1}
    assert gap.facts[0].is_gateway
    assert gap.requests
    assert values(gap) == {"level": 7.0}
    again = data(memory, metric(alias=11, double_value=7), seq=5, received_us=NOW + 1)
    assert again == gap


def test_wrapped_repeated_late_and_reborn_sequences_are_no_gaps() -> None:
    memory = Memory()
    for place, seq in enumerate([254, 255, 0, 0, 1, 250, 2]):
        result = data(memory, metric("level", double_value=6), seq=seq, received_us=NOW + place)
        assert not result.facts, seq
    birth(memory)
    assert not data(memory, metric("level", double_value=6), seq=1, received_us=NOW + 50).facts


@pytest.mark.parametrize(
    ("datatype", "field", "raw", "value"),
    [
        (INT8, "int_value", 0xFFFFFFFF, -1.0),
        (INT16, "int_value", 0x8000, -32768.0),
        (INT32, "int_value", 0xFFFFFFFE, -2.0),
        (INT64, "long_value", 2**64 - 5, -5.0),
        (UINT32, "long_value", 4_000_000_000, 4e9),
        (UINT64, "long_value", 2**63, float(2**63)),
        (FLOAT, "float_value", 0.1, 0.1),
        (FLOAT, "float_value", 1 / 3, 0.333333343),
        (DOUBLE, "double_value", 1 / 3, 1 / 3),
        (BOOLEAN, "boolean_value", True, 1.0),
        (STRING, "string_value", b"running", "running"),
        (DATE_TIME, "long_value", 1_772_359_200_123, "2026-03-01T10:00:00.123Z"),
    ],
)
def test_the_datatype_says_what_the_bits_mean(datatype: int, field: str, raw: Any, value: float | str) -> None:
    found = values(data(Memory(), metric("x", datatype, **{field: raw})))["x"]
    assert found == (pytest.approx(value, rel=1e-8) if isinstance(value, float) else value)


@pytest.mark.parametrize(
    "broken",
    [
        metric("x", is_null=True, double_value=1.0),
        metric("x", double_value=float("nan")),
        metric("x", FLOAT, float_value=float("inf")),
        metric("x", double_value=1.0, properties={"Quality": 0}),
        metric("x", double_value=1.0, properties={"Quality": 500}),
        metric("x", STRING, string_value=b"y" * 300),
        metric("x", DATE_TIME, long_value=2**63),
        metric("x", BYTES, bytes_value=b"\x00\x01"),
        metric("y" * 300, double_value=1.0),
        metric("x", DATA_SET),
        metric("", double_value=1.0),
    ],
)
def test_a_metric_without_a_good_value_is_left_out_and_its_siblings_stay(broken: Any) -> None:
    good = metric("good", double_value=1.0, properties={"Quality": 192})
    assert values(data(Memory(), broken, good)) == {"good": 1.0}


def test_arrays_are_members_by_their_place() -> None:
    arrays = [
        metric("i16", 23, bytes_value=struct.pack("<2h", -30000, 5)),
        metric("f", 30, bytes_value=struct.pack("<f", 12.3)),
        metric("u64", 29, bytes_value=struct.pack("<Q", 7)),
        metric("on", 32, bytes_value=struct.pack("<I", 3) + b"\xa0"),
        metric("text", 33, bytes_value=b"a\x00bc\x00"),
        metric("at", 34, bytes_value=struct.pack("<q", 1_772_359_200_000)),
        metric("wave", 30, bytes_value=struct.pack("<100f", *range(100))),
        metric("cut", 31, bytes_value=b"123"),
    ]
    assert values(data(Memory(), *arrays)) == {
        "i16.0": -30000.0, "i16.1": 5.0, "f.0": 12.3, "u64.0": 7.0, "on.0": 1.0, "on.1": 0.0, "on.2": 1.0,
        "text.0": "a", "text.1": "bc", "at.0": "2026-03-01T10:00:00.000Z",
    }  # fmt: skip


def test_tables_and_templates_are_values_by_their_names() -> None:
    table = metric("axes", DATA_SET)
    table.dataset_value.columns.extend([b"name", b"load"])
    table.dataset_value.types.extend([STRING, INT8])
    row = table.dataset_value.rows.add()
    row.elements.add(string_value=b"x")
    row.elements.add(int_value=0xFF)
    assert values(data(Memory(), table)) == {"axes.name": "x", "axes.load": -1.0}
    table.dataset_value.rows.add().elements.add(string_value=b"y")
    assert values(data(Memory(), table)) == {"axes.0.name": "x", "axes.0.load": -1.0, "axes.1.name": "y"}
    pump = metric("pump", TEMPLATE)
    pump.template_value.metrics.add(name=b"rpm", datatype=INT32, int_value=1500)
    assert values(data(Memory(), pump)) == {"pump.rpm": 1500.0}
    pump.template_value.is_definition = True
    assert values(data(Memory(), pump)) == {}


def test_a_metrics_own_time_comes_before_the_messages() -> None:
    own = metric("a", double_value=1, timestamp=NOW_MS - 5000)
    result = data(Memory(), own, metric("b", double_value=1), metric("c", double_value=1, timestamp=5))
    assert [one.time_us for one in result.readings] == [NOW - 5_000_000, NOW, None]
    assert result.wrong_clock_us == 5000


def test_a_compressed_payload_is_unpacked_and_a_bomb_is_not() -> None:
    def packed(inner: bytes) -> bytes:
        return bytes(Payload(uuid=b"SPBV1.0_COMPRESSED", body=zlib.compress(inner)).SerializeToString())

    good = payload(metric("level", double_value=2))
    assert values(decoded(f"{GROUP}/NDATA/press", packed(good))) == {"level": 2.0}
    with pytest.raises(UndecodableError, match="not_sparkplug"):
        decoded(f"{GROUP}/NDATA/press", packed(b"\0" * 50_000_000))


@pytest.mark.parametrize(
    ("topic", "content"),
    [
        ("spBv1.0/STATE/scada", '{"online":true,"timestamp":1790000000000}'),
        ("STATE/scada", "OFFLINE"),
        (f"{GROUP}/NCMD/press", payload(metric("Node Control/Rebirth", BOOLEAN, boolean_value=True))),
        (f"{GROUP}/DCMD/press/belt", payload(metric("speed", double_value=3))),
    ],
)
def test_hosts_and_commands_are_no_devices(topic: str, content: str | bytes) -> None:
    assert decoded(topic, content) == Decoded("sparkplug")


def test_json_on_such_a_topic_is_left_to_others() -> None:
    assert decoded(f"{GROUP}/NDATA/press", '{"level": 3}').decoder == "json"
    assert decoded("STATE/kitchen", '{"level": 3}').decoder == "json"


METRICS = st.builds(
    lambda name, datatype, alias, kind, value, seq: (name, datatype, alias, kind, value, seq),
    st.text(max_size=8), st.integers(0, 40), st.integers(0, 2**64 - 1),
    st.sampled_from(["int_value", "long_value", "bytes_value", "string_value", "double_value", "float_value"]),
    st.binary(max_size=12), st.integers(0, 2**64 - 1),
)  # fmt: skip


@given(st.lists(METRICS, max_size=4), st.sampled_from(["NBIRTH/n", "DBIRTH/n/d", "NDATA/n", "DDATA/n/d", "NDEATH/n"]))
def test_whatever_a_metric_holds_is_a_reading_or_nothing(found: list[Any], where: str) -> None:
    whole = Payload(timestamp=NOW_MS)
    for name, datatype, alias, kind, value, seq in found:
        number = int.from_bytes(value, "little")
        typed = {"int_value": number % 2**32, "long_value": number % 2**64, "double_value": float(number)}
        typed["float_value"] = typed["double_value"]
        whole.metrics.add(name=name.encode(), datatype=datatype, alias=alias, **{kind: typed.get(kind, value)})
        whole.seq = seq
    what, rest = where.split("/", 1)
    result = decoded(f"spBv1.0/g/{what}/{rest}", whole.SerializeToString())
    for one in result.readings:
        assert (one.value is None) != (one.text is None)
        assert one.value is None or abs(one.value) < float("inf")
        assert "\0" not in f"{one.text}{one.name}"
