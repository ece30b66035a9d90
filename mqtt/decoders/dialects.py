"""The key words of one family, before the general ones: units that it never sends, facts, inner matters."""

from collections.abc import Callable, Mapping
from functools import lru_cache

from mqtt.decoders.words import Meaning, Role, meaning, words


def dialect(
    units: Mapping[str, str] = {},
    facts: Mapping[str, str] = {},
    *,
    times: str = "",
    nothing: str = "",
    values: str = "",
    switches: str = "",
) -> Callable[[str], Meaning]:
    """A function from a key to what it says. Keys are exact, several in one text are parted by blanks.

    `units` and `facts` go from the unit or the fact's name to its keys; `values` are readings whatever the general
    words say, `switches` those of them whose on and off are 1 and 0; `nothing` is left out.
    """
    known = dict.fromkeys(words(nothing), Meaning(Role.NOTHING)) | dict.fromkeys(words(times), Meaning(Role.TIME))
    for fact, keys in facts.items():
        known |= dict.fromkeys(words(keys), Meaning(Role.FACT, of=fact))
    unit_of = {key: unit for unit, keys in units.items() for key in words(keys)}
    switched = words(switches)
    for key in words(values) | switched | unit_of.keys():
        general = meaning(key)
        known[key] = Meaning(Role.VALUE, unit_of.get(key, general.unit), general.kind, is_switch=key in switched)

    @lru_cache(maxsize=5000)
    def of(key: str) -> Meaning:
        found = known.get(key)
        return meaning(key) if found is None else found

    return of
