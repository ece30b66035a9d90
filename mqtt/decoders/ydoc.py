"""YDOC dataloggers' JSON: `device`, `channels` that say what each code is, and `data`, a row a moment.

Source: the vendor's description of its JSON output. `$ts` is YYMMDDhhmmss in the logger's time; other keys with a `$`
are messages and alarms.
"""

from typing import Any

from mqtt.decoders.base import MAX_VALUES, Content
from mqtt.decoders.gather import Part, member, objects, said, told
from mqtt.decoders.units import spelled
from mqtt.decoders.words import meaning
from mqtt.exceptions import UndecodableError
from mqtt.messages import Decoded, DecodedFacts, DeviceRef

MOMENT_DIGITS = 12


class YdocDecoder:
    """All rows of one message."""

    name = "ydoc"
    marks = frozenset(("channels",))

    def knows_topic(self, _topic: str) -> bool:
        """Any: the root of the topic is free."""
        return True

    def claims(self, content: Content) -> bool:
        """A logger's serial number and rows with their moment."""
        found = content.object
        if found is None or not said(found.get("device"), "sn"):
            return False
        return any("$ts" in row for row in objects(found.get("data"))[:1])

    def decode(self, content: Content) -> Decoded:
        """Readings by their codes, labelled with their names. Raises UndecodableError."""
        decoded = Decoded(self.name)
        found = content.object or {}
        who = said(found.get("device"), "sn")
        device = DeviceRef(content.topic if who in content.topic else f"{content.topic}#{who}", who)
        channels = {said(one, "code"): one for one in objects(found.get("channels"))}
        for row in objects(found.get("data")):
            self._row(row, channels, device, content, decoded)
        facts = told(name=member(found, "device", "name"), firmware=member(found, "device", "v"), serial=who)
        decoded.facts.append(DecodedFacts(device, facts))
        return decoded

    @staticmethod
    def _row(
        row: dict[str, Any], channels: dict[str, dict[str, Any]], device: DeviceRef, content: Content, decoded: Decoded
    ) -> None:
        part = Part(device, content)
        for code, value in row.items():
            if code.startswith("$"):
                continue
            channel = channels.get(code, {})
            label = said(channel, "name")
            means = meaning(label or code)
            unit = spelled(said(channel, "unit"))
            first = len(part.readings)
            part.value(value, code, means._replace(unit=unit) if unit else means, 1)
            for one in part.readings[first:]:
                one.label = label[:120]
        part.into(decoded, _moment(row.get("$ts"), content))
        if len(decoded.readings) > MAX_VALUES:
            raise UndecodableError("too_many_values", limit=MAX_VALUES)


def _moment(said_at: Any, content: Content) -> int | None:
    """`260301100000` is 2026-03-01 10:00:00."""
    digits = f"{said_at:0>{MOMENT_DIGITS}}" if isinstance(said_at, int | str) else ""
    if len(digits) != MOMENT_DIGITS or not (digits.isdecimal() and digits.isascii()):
        return None
    year, month, day, hour, minute, second = (digits[at : at + 2] for at in range(0, MOMENT_DIGITS, 2))
    return content.time(f"20{year}-{month}-{day}T{hour}:{minute}:{second}")


DECODER = YdocDecoder()
