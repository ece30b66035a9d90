"""The key words of one family, before the general ones: units that it never sends, facts, inner matters."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

from mqtt.decoders.vocabulary import words
from mqtt.decoders.words import Meaning, Role, meaning


def dialect(
    units: Mapping[str, str] = {},
    facts: Mapping[str, str] = {},
    *,
    times: str = "",
    nothing: str = "",
    values: str = "",
    switches: str = "",
    ending: str = "",
) -> Callable[[str], Meaning]:
    """A function from a key to what it says. Keys are exact, several in one text are parted by blanks.

    `units` and `facts` go from the unit or the fact's name to its keys; `values` are readings whatever the general
    words say, `switches` those of them whose on and off are 1 and 0; `nothing` is left out. `ending` is a pattern of
    what may follow a key, such as the number of a channel.
    """
    known = dict.fromkeys(words(nothing), Meaning(Role.NOTHING)) | dict.fromkeys(words(times), Meaning(Role.TIME))
    for fact, keys in facts.items():
        known |= dict.fromkeys(words(keys), Meaning(Role.FACT, of=fact))
    unit_of = {key: unit for unit, keys in units.items() for key in words(keys)}
    switched = words(switches)
    for key in words(values) | switched | unit_of.keys():
        general = meaning(key)
        known[key] = Meaning(Role.VALUE, unit_of.get(key, general.unit), general.kind, is_switch=key in switched)

    stem = re.compile(f"(.+?)(?:{ending})") if ending else None

    @lru_cache(maxsize=5000)
    def of(key: str) -> Meaning:
        found = known.get(key)
        if found is None and stem is not None and (match := stem.fullmatch(key)):
            found = known.get(match.group(1))
        return meaning(key) if found is None else found

    return of
