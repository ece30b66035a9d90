from mqtt.decoders.memory import Memory
from mqtt.decoders.registry import decode
from mqtt.messages import Decoded, InboundMessage

NOW = 1_790_000_000_000_000
"""2026-09-21T14:13:20Z"""


def message(topic: str, payload: bytes | str, connection_id: int = 1, received_us: int = NOW) -> InboundMessage:
    data = payload.encode() if isinstance(payload, str) else payload
    return InboundMessage(connection_id, topic, data, qos=1, retain=False, received_us=received_us)


def decoded(topic: str, payload: bytes | str, chosen: str = "", memory: Memory | None = None) -> Decoded:
    """What one message means; what it announces is put into the memory."""
    memory = memory or Memory()
    result = decode(message(topic, payload), memory, chosen)
    for said in result.announcements:
        memory.put(said)
    return result


def values(result: Decoded) -> dict[str, float | str | None]:
    return {one.name: one.value if one.text is None else one.text for one in result.readings}
