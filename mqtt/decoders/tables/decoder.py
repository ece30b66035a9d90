"""Tables of values (CSV, TOA5): one device or one a row, at the row's own time.

What has names above it is read by them: times, who it is, facts and values as in any other message. Without names the
columns go by their numbers, until somebody maps them. An IMEI that comes first is whose the row is; with a position
behind it the row is a tracker's, which says who it is and, without a mapping, nothing of where.
"""

import re
from itertools import pairwise

from mqtt.decoders.base import Content
from mqtt.decoders.gather import add
from mqtt.decoders.places import NAME_LENGTH, clean, place
from mqtt.decoders.tables.moments import CLOCK, DATE, is_moment, order_of
from mqtt.decoders.tables.moments import read as moment_of
from mqtt.decoders.tables.reader import MOST_RARE, Table, is_empty, is_value, number, read
from mqtt.decoders.units import spelled
from mqtt.decoders.vocabulary import words
from mqtt.decoders.walk import MAX_TEXT
from mqtt.decoders.words import Meaning, Role, meaning
from mqtt.exceptions import UndecodableError
from mqtt.messages import Decoded, DecodedFacts, DeviceRef

WHO = words(
    "station stationid device deviceid sensorid node nodeid logger loggerid serial serialnumber sn id name imei mac"
)
INNER = words("record rn recnum recordnumber")
QUANTITY = words("sensor parameter variable measurement metric quantity tag point signal channel parametro grandezza")
"""Columns that say what the value in another column is."""
VALUE = words("value val reading valore wert valor")
UNIT = words("unit units uom unita einheit unidad")
HEAD = 2000
"""Bytes that tell whether a text is a table."""
COLOURS = ("color", "colour", "rgb", "hsb", "hsv")


class TableDecoder:
    """Rows of values."""

    name = "csv"

    def knows_topic(self, topic: str) -> bool:
        """Any but colours, which are three numbers and one thing."""
        return not topic.lower().rpartition("/")[2].startswith(COLOURS)

    def claims(self, content: Content) -> bool:
        """What begins like a table."""
        payload = content.message.payload
        may_be_rare = b"\n" in payload and len(payload) <= MOST_RARE
        if not (may_be_rare or b"," in payload or b";" in payload or b"\t" in payload) or content.is_structure:
            return False
        try:
            text = content.text
            if len(text) > HEAD:
                text = text[: text.rfind("\n", 0, HEAD)] if "\n" in text[:HEAD] else text[:HEAD]
            return read(text) is not None
        except UndecodableError:
            return False

    def decode(self, content: Content) -> Decoded:
        """The readings of all rows. Raises UndecodableError."""
        table = read(content.text)
        if table is None:
            raise UndecodableError("no_values")
        decoded = Decoded(self.name)
        whole = place(content.topic).device
        if not table.is_named and any(is_imei(row[0]) for row in table.rows):
            if any(is_place(row[1:]) for row in table.rows):
                _see_trackers(table, content.topic, decoded)
                return decoded
            table.names[0] = "imei"
        _Rows(table, content, _named(whole, table.station), decoded).all()
        if table.station:
            facts = {key: clean(value)[:MAX_TEXT] for key, value in table.facts.items() if value}
            decoded.facts.append(DecodedFacts(_named(whole, table.station), facts))
        if not decoded.readings:
            raise UndecodableError("no_values")
        return decoded


def _see_trackers(table: Table, topic: str, decoded: Decoded) -> None:
    """Who sent the rows; what they say waits for somebody who names their columns."""
    decoded.aside = "positions_aside"
    for imei in dict.fromkeys(row[0] for row in table.rows if is_imei(row[0])):
        decoded.facts.append(DecodedFacts(DeviceRef(f"{topic}#{imei}", imei), {"imei": imei}, announces=True))


def _named(whole: DeviceRef, who: str) -> DeviceRef:
    who = clean(who)[:NAME_LENGTH]
    return DeviceRef(whole.key if who in whole.key.split("/") else f"{whole.key}#{who}", who) if who else whole


def is_imei(text: str) -> bool:
    """Whether fifteen digits are a radio module's number: their check digit agrees."""
    if len(text) != 15 or not text.isdecimal() or not text.isascii():
        return False
    digits = [int(digit) for digit in text]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


_DEGREES = re.compile(r"[-+]?\d{1,5}\.\d+|[-+]?\d{8,9}")
_FINE = re.compile(r".*\.\d{3,}|[-+]?\d{8,9}")
"""As coordinates are written. A sensor that sends so many decimals is read by a mapping: better late than a person's
way in everybody's charts."""
_FIX = frozenset(("A", "V", "N", "S", "E", "W"))
"""A receiver's word that its position is valid, and the hemispheres."""


def is_place(row: list[str]) -> bool:
    """Whether a row without names may hold a position."""
    pairs = (pair for pair in pairwise(row) if all(map(_DEGREES.fullmatch, pair)))
    return not _FIX.isdisjoint(row) or any(any(map(_FINE.fullmatch, pair)) for pair in pairs)


class _Rows:
    """One pass through a table."""

    def __init__(self, table: Table, content: Content, device: DeviceRef, decoded: Decoded) -> None:
        self._table, self._content, self._device, self._decoded = table, content, device, decoded
        self._roles = [_role(name) for name in table.names]
        self._time = next((at for at, role in enumerate(self._roles) if role.role is Role.TIME), None)
        first = 1 if table.names[0] == "imei" else 0
        if self._time is None and all(len(row) > first and is_moment(row[first]) for row in table.rows):
            self._time = first
        self._clock = self._clock_column()
        self._order = order_of(self._moment_text(row) for row in table.rows)
        self._long = self._long_columns()
        self._labels = {at for at in range(len(table.names)) if self._is_label(at)}

    def _clock_column(self) -> int | None:
        """The column of the time of day, where the date stands in one of its own."""
        first, at = self._table.rows[0], self._time
        if at is None and DATE.fullmatch(first[0]):
            at = self._time = 0
        if at is None or at >= len(first) or not DATE.fullmatch(first[at]):
            return None
        return next((other for other, value in enumerate(first) if CLOCK.fullmatch(value)), None)

    def _long_columns(self) -> tuple[int, int, int | None] | None:
        """The columns of what was measured, of its value and of its unit, where each row is of one quantity."""
        if not self._table.is_named:
            return None
        names = ["".join(filter(str.isalnum, name.lower())) for name in self._table.names]
        found = [[at for at, name in enumerate(names) if name in wanted] for wanted in (QUANTITY, VALUE, UNIT)]
        if len(found[0]) != 1 or len(found[1]) != 1:
            return None
        return found[0][0], found[1][0], found[2][0] if found[2] else None

    def _moment_text(self, row: list[str]) -> str:
        at, clock = self._time, self._clock
        text = row[at] if at is not None and at < len(row) else ""
        return f"{text} {row[clock]}" if clock is not None and clock < len(row) else text

    def _is_label(self, at: int) -> bool:
        """Words that differ in each of several rows are names, not states."""
        column = [row[at] for row in self._table.rows if at < len(row)]
        return len(column) > 1 and len(set(column)) == len(column) and not any(is_value(value) for value in column)

    def all(self) -> None:
        """Every row."""
        for row in self._table.rows:
            text = self._moment_text(row)
            time_us = self._content.checked(moment_of(text, self._order, self._content.zone)) if text else None
            device, facts = self._device, {}
            for at, value in enumerate(row[: len(self._roles)]):
                if at in {self._time, self._clock} or is_empty(value):
                    continue
                means = self._roles[at]
                if means.role is Role.FACT and means.of == "id":
                    device = _named(self._device, value)
                elif means.role is Role.FACT:
                    facts[means.of] = clean(value)[:MAX_TEXT]
            self._values(row, device, time_us)
            if facts or device is not self._device:
                self._decoded.facts.append(DecodedFacts(device, facts))

    def _values(self, row: list[str], device: DeviceRef, time_us: int | None) -> None:
        if self._long is not None:
            name, value, unit = (row[at] if at is not None and at < len(row) else "" for at in self._long)
            if name and not is_empty(value) and len(value) <= MAX_TEXT:
                exact = number(value)
                shown = spelled(unit) or meaning(name).unit
                add(self._decoded, device, clean(name), value if exact is None else exact, unit=shown, time_us=time_us)
            return
        for at, value in enumerate(row[: len(self._roles)]):
            means = self._roles[at]
            if at in self._labels or at in {self._time, self._clock} or is_empty(value) or len(value) > MAX_TEXT:
                continue
            if means.role is Role.VALUE:
                exact = number(value)
                plain = value if exact is None else exact
                unit = self._table.units.get(at) or means.unit
                name = clean(self._table.names[at])
                add(self._decoded, device, name, plain, unit=unit, time_us=time_us, is_switch=True)


def _role(name: str) -> Meaning:
    """What a column's name says; a unit may stand in brackets behind it."""
    plain = "".join(character for character in name.lower() if character.isalnum())
    if plain in WHO:
        return Meaning(Role.FACT, of="id")
    if plain in INNER or not name:
        return Meaning(Role.NOTHING)
    stem, _bracket, unit = name.partition("(") if "(" in name else name.partition("[")
    means = meaning(stem.strip() or name)
    return means._replace(unit=spelled(unit.rstrip(")] "))) if unit and means.role is Role.VALUE else means


DECODER = TableDecoder()
