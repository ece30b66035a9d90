"""Lines that instruments speak on a wire, passed on as they are: SDI-12, Vaisala's weather transmitters, NMEA.

Sources: SDI-12 specification 1.4, 4.4.6; Vaisala WXT530 user's guide, data messages. A line of NMEA is understood by
nobody here: most say where something is, which is personal.
"""

import re

from mqtt.decoders.base import Content
from mqtt.decoders.gather import add
from mqtt.decoders.places import place
from mqtt.exceptions import UndecodableError
from mqtt.messages import Decoded

LONGEST = 400
SDI12 = re.compile(r"([0-9A-Za-z])((?:[-+]\d{1,7}(?:\.\d{1,7})?){2,30})")
"""The address, then each value with its sign."""
_SIGNED = re.compile(r"[-+][\d.]+")
WXT = re.compile(r"[0-9A-Za-z][rR][0-5]((?:,[A-Z][a-z]=[-+]?\d{1,6}(?:\.\d{1,4})?[A-Za-z#])+)")
NMEA = re.compile(r"[$!][A-Z]{4,6},[ -~]{0,100}\*[0-9A-Fa-f]{2}")
UNITS = {
    "D": {"D": "°"},
    "S": {"M": "m/s", "K": "km/h", "S": "mph", "N": "kn"},
    "T": {"C": "°C", "F": "°F"},
    "U": {"P": "%"},
    "P": {"H": "hPa", "P": "Pa", "B": "bar", "M": "mmHg", "I": "inHg"},
    "R": {"M": "mm", "I": "in", "s": "s"},
    "H": {"s": "s"},
    "V": dict.fromkeys("VNWF", "V"),
}
"""By what a name begins with and the letter behind the number; behind a heater's voltage the letter is its state."""
PER_HOUR = "Ri"
INVALID = "#"


class InstrumentDecoder:
    """One line of an instrument."""

    name = "instrument"

    def knows_topic(self, _topic: str) -> bool:
        """Any."""
        return True

    def claims(self, content: Content) -> bool:
        """A line that is one from its first sign to its last."""
        payload = content.message.payload
        if not (b"," in payload or b"+" in payload) or len(payload) > LONGEST or not payload.isascii():
            return False
        text = content.text
        is_bus = "+" in text and SDI12.fullmatch(text) is not None
        return is_bus or WXT.fullmatch(text) is not None or NMEA.fullmatch(text) is not None

    def decode(self, content: Content) -> Decoded:
        """Its values. Raises UndecodableError."""
        decoded = Decoded(self.name)
        device = place(content.topic).device
        if line := WXT.fullmatch(content.text):
            for part in line[1][1:].split(","):
                name, _sign, value = part.partition("=")
                if value[-1] != INVALID:
                    unit = UNITS.get(name[0], {}).get(value[-1], "")
                    add(
                        decoded,
                        device,
                        name,
                        float(value[:-1]),
                        unit=f"{unit}/h" if name == PER_HOUR and unit else unit,
                    )
        elif line := SDI12.fullmatch(content.text):
            for at, value in enumerate(_SIGNED.findall(line[2])):
                add(decoded, device, f"{line[1]}.{at}", float(value))
        if not decoded.readings:
            raise UndecodableError("no_values")
        return decoded


DECODER = InstrumentDecoder()
