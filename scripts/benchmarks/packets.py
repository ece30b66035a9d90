"""MQTT 3.1.1 packets as bytes, made before the clock starts, and the messages that the benches send."""

from datetime import UTC, datetime, timedelta

FIRST_VALUE = 1_000_000
"""Measured messages carry their own number as value; warm-up messages stay below."""
PAYLOAD_BYTES = 81
ROOT = "bench"
FILTER = f"{ROOT}/#"
MARKER = f"{ROOT}/marker/end"
"""The topic of a run's last message: when it is stored, everything before it is."""
ACKNOWLEDGED = 4
"""The bytes of one PUBACK."""


def field(text: bytes) -> bytes:
    """A length in two bytes, then the text."""
    return len(text).to_bytes(2, "big") + text


def packet(kind: int, body: bytes) -> bytes:
    """A fixed header with its variable length, then the body."""
    length, size = len(body), bytearray()
    while True:
        length, digit = divmod(length, 128)
        size.append(digit | (128 if length else 0))
        if not length:
            return bytes((kind, *size)) + body


def connect(client_id: str) -> bytes:
    """CONNECT with a clean session, and a keepalive longer than any pause: rumqttd refuses a client that has none."""
    return packet(0x10, b"\x00\x04MQTT\x04\x02\x02\x58" + field(client_id.encode()))


def publish(topic: str, payload: bytes, qos: int, number: int) -> bytes:
    """PUBLISH; with QoS 1 its packet id follows the message's number."""
    identifier = (number % 65_535 + 1).to_bytes(2, "big") if qos else b""
    return packet(0x30 | qos << 1, field(topic.encode()) + identifier + payload)


def topic_of(number: int) -> str:
    """The topic of one of the field's sensors: eight sensors on each datalogger."""
    return f"{ROOT}/site-{number // 200}/logger-{number // 8}/channel-{number % 8}"


def probe_topic(number: int) -> str:
    """The topic of a sensor that speaks seldom, whose way is timed."""
    return f"{ROOT}/probes/logger/probe-{number}"


def payload(value: int, start: datetime, number: int, timed: bool) -> bytes:
    """81 bytes of JSON, one reading: with a time of its own, or with the device's serial number instead."""
    if timed:
        moment = (start + timedelta(microseconds=number)).isoformat(timespec="microseconds")
        text = f'{{"value":{value}.25,"unit":"°C","time":"{moment}"'
    else:
        text = f'{{"value":{value}.25,"unit":"°C","serial":"SN-2026-000017"'
    return (text.encode() + b"}").ljust(PAYLOAD_BYTES)


def messages(first: int, count: int, topics: int, qos: int, timed: bool) -> list[bytes]:
    """`count` PUBLISH packets from message number `first` on, walking through the topics."""
    start = datetime.now(UTC)
    names = [topic_of(number) for number in range(topics)]
    return [
        publish(names[number % topics], payload(FIRST_VALUE + number, start, number, timed), qos, number)
        for number in range(first, first + count)
    ]
