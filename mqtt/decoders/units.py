"""Units as devices spell them -> as they are shown; what is not known stays as it is."""

import re
from functools import lru_cache

from mqtt.decoders.places import clean
from mqtt.decoders.vocabulary import BY_SPELLING

LONGEST = 40


_POWERS = re.compile(r"(?<=[ms])(?:\^|\*\*)?([23])(?![\w.])")


def _raised(match: re.Match[str]) -> str:
    return "²" if match.group(1) == "2" else "³"


def _plain(text: str) -> str:
    return text.lower().replace(" ", "").replace("_", "").replace(".", "").replace("-", "")


_BY_WORD = {_plain(spelling): unit for spelling, unit in BY_SPELLING.items() if len(spelling) > 3}
"""Words are meant whatever their capitals and blanks; of short ones `Mw` is not `mW`."""


@lru_cache(maxsize=2000)
def spelled(unit: str) -> str:
    """A unit that a device names, as it is shown: `Cel` is °C, `ug/m3` is µg/m³."""
    unit = clean(unit).strip().replace("\u03bc", "\u00b5")
    known = BY_SPELLING.get(unit)
    if known is None and len(unit) > 3:
        known = _BY_WORD.get(_plain(unit))
    return (_POWERS.sub(_raised, unit) if known is None else known)[:LONGEST]
