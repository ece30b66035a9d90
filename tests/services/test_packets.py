import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mqtt.services.mqtt_connection.packets import MalformedPacketError, PacketCutter, Publish, read_publish

SMALL = b"\x30\x06\x00\x03a/bX"
LARGE = b"\x3b\xac\x02\x00\x03a/b\x12\x34" + b"p" * 293
PONG = b"\xd0\x00"


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1000])
def test_packets_are_cut_wherever_the_bytes_were_split(size: int) -> None:
    data = SMALL + PONG + LARGE + SMALL
    cutter = PacketCutter()
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    found = [packet for piece in pieces for packet, _ in cutter.cut(piece)]
    assert found == [SMALL, PONG, LARGE, SMALL]


def test_a_publish_says_topic_payload_and_flags() -> None:
    ((packet, body),) = PacketCutter().cut(LARGE)
    assert read_publish(packet, body, is_v5=False) == Publish(b"a/b", b"p" * 293, 1, True, True, 0x1234)


def test_properties_of_mqtt_5_are_left_out() -> None:
    ((packet, body),) = PacketCutter().cut(b"\x30\x0c\x00\x03a/b\x05\x02\x00\x00\x00\x09X")
    assert read_publish(packet, body, is_v5=True).payload == b"X"


def test_a_length_of_five_bytes_is_no_mqtt() -> None:
    with pytest.raises(MalformedPacketError):
        list(PacketCutter().cut(b"\x30\xff\xff\xff\xff\x01"))


@pytest.mark.parametrize(
    "packet",
    [b"\x32\x02\x00\x09", b"\x32\x03\x00\x01a", b"\x32\x05\x00\x01a\x00\x00", b"\x36\x05\x00\x01a\x00\x01"],
)
def test_a_publish_that_ends_early_or_cannot_be_acknowledged_is_malformed(packet: bytes) -> None:
    with pytest.raises(MalformedPacketError):
        read_publish(packet, 2, is_v5=False)


def test_properties_are_as_long_as_four_bytes_say_and_end_within_the_packet() -> None:
    for properties in (b"\xff" * 400_000, b"\x7f1"):
        with pytest.raises(MalformedPacketError):
            read_publish(b"\x30\x00\x00\x01a" + properties, 2, is_v5=True)


def test_a_publish_that_was_cut_within_its_properties_has_no_payload() -> None:
    packet = b"\x32\x00\x00\x01a\x00\x07\xff\xff\xff\x7f" + b"&" * 100
    assert read_publish(packet, 2, is_v5=True, is_cut=True) == Publish(b"a", b"", 1, False, False, 7)


@pytest.mark.parametrize("head", [b"\x20", b"\xe0"])
def test_properties_that_the_client_library_would_read_for_seconds_are_refused(head: bytes) -> None:
    with pytest.raises(MalformedPacketError):
        list(PacketCutter().cut(head + b"\xff\xff\x7f"))


def test_a_packet_that_would_fill_the_memory_is_refused_before_it_is_here() -> None:
    with pytest.raises(MalformedPacketError):
        list(PacketCutter().cut(b"\x90\xff\xff\xff\x7f"))


@given(st.lists(st.binary(max_size=40), max_size=8))
def test_any_bytes_are_packets_or_malformed(pieces: list[bytes]) -> None:
    cutter = PacketCutter()
    with contextlib.suppress(MalformedPacketError):
        for piece in pieces:
            for packet, body in cutter.cut(piece):
                read_publish(packet, body, is_v5=True)
