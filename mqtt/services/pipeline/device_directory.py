"""From the keys that decoders give to the rows in the database: cached, loaded and made in bulk.

What is found or made inside a transaction counts only after `commit`; `rollback` forgets it, because the ids
of rolled-back rows are given out again.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from mqtt.enums import NodeKind
from mqtt.messages import DecodedAvailability, DecodedFacts, DecodedReading, DeviceRef
from mqtt.models import MOST_OF_CONNECTION, Datalogger, Gateway, SensorDevice
from mqtt.models.device import LABEL_LENGTH
from mqtt.services.discovery import room_for_new
from mqtt.services.pipeline.device_entries import (
    NODE_FIELDS,
    SENSOR_FIELDS,
    DataloggerEntry,
    GatewayEntry,
    NodeEntry,
    SensorEntry,
)
from mqtt.services.pipeline.device_lookup import Sites, fits, rows_of

MAX_SENSORS = 200_000
"""About 100 MB; beyond it the dataloggers that were met first are looked up again."""
MAX_PREFIXES = 10_000

Created = dict[int, dict[str, int]]
"""How many rows were made: {connection: {"sensors": 3, …}}."""


class DeviceDirectory:
    """The devices of the connections that this process holds."""

    def __init__(self) -> None:
        self.gateways: dict[tuple[int, str], GatewayEntry] = {}
        self.dataloggers: dict[tuple[int, str], DataloggerEntry] = {}
        self.created: Created = {}
        self._below: dict[tuple[int, str], list[str]] = {}
        self._touched: set[tuple[int, str]] = set()
        self._sensors = 0
        self._room: dict[tuple[int, Any], int] = {}
        """{(connection, model): how many may still be made}, for one transaction; None as model: of new nodes."""
        self.crowded: set[int] = set()
        """Connections that brought more new devices in this transaction than are taken in an hour."""

    def node(self, connection_id: int, said: DecodedAvailability | DecodedFacts) -> NodeEntry | None:
        """Whom a message speaks of, if it is known."""
        place = (connection_id, said.device.key)
        return self.gateways.get(place) if said.is_gateway else self.dataloggers.get(place)

    def commit(self) -> Created:
        """Keep what the transaction found and made; returns what it made."""
        self._touched.clear()
        self._room.clear()
        self.crowded.clear()
        created, self.created = self.created, {}
        if self._sensors > MAX_SENSORS:
            self._forget_some()
        return created

    def rollback(self) -> None:
        """Forget what the failed transaction found and made."""
        if self._touched:
            changed = {id(self.dataloggers[key]) for key in self._touched if key in self.dataloggers}
            # A device is known by several keys, and what was made below it is rolled back under each of them.
            self.dataloggers = {key: entry for key, entry in self.dataloggers.items() if id(entry) not in changed}
            self.gateways = {key: entry for key, entry in self.gateways.items() if key not in self._touched}
            self._count_sensors()
        self._touched.clear()
        self._room.clear()
        self.crowded.clear()
        self._below.clear()
        self.created = {}

    def forget(self, connection_ids: Iterable[int]) -> None:
        """Look everything of these connections up again."""
        gone = set(connection_ids)
        self._below.clear()
        self.gateways = {key: entry for key, entry in self.gateways.items() if key[0] not in gone}
        self.dataloggers = {key: entry for key, entry in self.dataloggers.items() if key[0] not in gone}
        self._count_sensors()

    def drop(self, places: Iterable[tuple[int, str]]) -> None:
        """Look these dataloggers up again, under whatever key they are known: their rows change now."""
        gone = {self.dataloggers[place].id for place in places if place in self.dataloggers}
        for place in [one for one, entry in self.dataloggers.items() if entry.id in gone]:
            del self.dataloggers[place]
        self._below.clear()

    def ensure(
        self, wanted: Sequence[tuple[int, DecodedReading]], announced: dict[tuple[int, str], DeviceRef], now_us: int
    ) -> None:
        """Load or make all that these readings need, and announced devices; too long keys stay unresolved."""
        refs = announced | {(connection_id, reading.device.key): reading.device for connection_id, reading in wanted}
        self.ensure_gateways(
            {
                (connection_id, ref.gateway_key): ref.gateway_identifier
                for (connection_id, _), ref in refs.items()
                if ref.gateway_key
            },
            now_us,
        )
        self._ensure_dataloggers(refs, now_us)
        self._ensure_sensors(wanted, now_us)

    def ensure_gateways(self, wanted: dict[tuple[int, str], str], now_us: int) -> None:
        """Load or make gateways: {(connection, key): identifier}."""
        missing = {key: name for key, name in wanted.items() if key not in self.gateways and fits(key[1])}
        if not missing:
            return
        self._load_gateways(missing, now_us)
        absent = self._with_room(Gateway, [key for key in missing if key not in self.gateways])
        if absent:
            sites = Sites(absent)
            rows = [
                Gateway(connection_id=key[0], key=key[1], identifier=missing[key][:250], site_id=sites.of(key))
                for key in absent
            ]
            self._make(Gateway, rows, "gateways")
            self._load_gateways(absent, now_us)

    def load_dataloggers(self, wanted: Iterable[tuple[int, str]], now_us: int) -> None:
        """Load dataloggers that exist: by their own key or by an alias."""
        missing = [key for key in wanted if key not in self.dataloggers and fits(key[1])]
        rows = rows_of(Datalogger, NodeKind.DATALOGGER, missing, (*NODE_FIELDS, "gateway_id"))
        found: list[tuple[DataloggerEntry, int]] = []
        for (connection_id, asked), row in rows:
            entry = self.dataloggers.get((connection_id, row[1])) or DataloggerEntry(connection_id, row, now_us)
            for key in ((connection_id, asked), (connection_id, row[1])):
                self.dataloggers[key] = entry
                self._touched.add(key)
            if row[7]:
                found.append((entry, row[7]))
        self._attach_gateways(found, now_us)

    def below(self, connection_id: int, prefix: str, now_us: int) -> list[DataloggerEntry]:
        """The dataloggers whose topics lie below a prefix."""
        place = (connection_id, prefix)
        keys = self._below.get(place)
        if keys is None:
            rows = Datalogger.objects.filter(connection=connection_id, key__startswith=f"{prefix}/")
            # SQLite's LIKE takes capitals for small letters.
            keys = [key for key in rows.values_list("key", flat=True) if key.startswith(f"{prefix}/")]
            if len(self._below) > MAX_PREFIXES:
                self._below.clear()
            self._below[place] = keys
        wanted = [(connection_id, key) for key in keys]
        self.load_dataloggers(wanted, now_us)
        return [self.dataloggers[key] for key in wanted if key in self.dataloggers]

    def _load_gateways(self, wanted: Iterable[tuple[int, str]], now_us: int) -> None:
        for (connection_id, asked), row in rows_of(Gateway, NodeKind.GATEWAY, wanted, NODE_FIELDS):
            self._put_gateway(connection_id, asked, row, now_us)

    def _put_gateway(self, connection_id: int, asked: str, row: Sequence[Any], now_us: int) -> GatewayEntry:
        entry = self.gateways.get((connection_id, row[1])) or GatewayEntry(connection_id, row, now_us)
        for key in ((connection_id, asked), (connection_id, row[1])):
            self.gateways[key] = entry
            self._touched.add(key)
        return entry

    def _attach_gateways(self, found: Sequence[tuple[DataloggerEntry, int]], now_us: int) -> None:
        by_id = {entry.id: entry for entry in self.gateways.values()}
        unknown = {gateway_id for _, gateway_id in found if gateway_id not in by_id}
        if unknown:
            for row in Gateway.objects.filter(pk__in=unknown).values_list(*NODE_FIELDS, "connection_id"):
                by_id[row[0]] = self._put_gateway(row[-1], row[1], row, now_us)
        for entry, gateway_id in found:
            entry.gateway = by_id.get(gateway_id)

    def _ensure_dataloggers(self, refs: dict[tuple[int, str], DeviceRef], now_us: int) -> None:
        missing = {key: ref for key, ref in refs.items() if key not in self.dataloggers and fits(key[1])}
        if missing:
            self.load_dataloggers(missing, now_us)
        absent = self._with_room(Datalogger, [key for key in missing if key not in self.dataloggers])
        if absent:
            sites = Sites(absent)
            rows = []
            for key in absent:
                ref = missing[key]
                gateway = self.gateways.get((key[0], ref.gateway_key)) if ref.gateway_key else None
                rows.append(
                    Datalogger(
                        connection_id=key[0],
                        key=key[1],
                        identifier=ref.identifier[:250],
                        gateway_id=gateway.id if gateway else None,
                        site_id=sites.of(key, gateway),
                    )
                )
            self._make(Datalogger, rows, "dataloggers")
            self.load_dataloggers(absent, now_us)
        self._link_to_gateways(refs)

    def _link_to_gateways(self, refs: dict[tuple[int, str], DeviceRef]) -> None:
        """A datalogger whose gateway was deleted or is told only now gets it."""
        for key, ref in refs.items():
            entry = self.dataloggers.get(key)
            if entry and entry.gateway is None and ref.gateway_key:
                entry.gateway = self.gateways.get((key[0], ref.gateway_key))
                if entry.gateway:
                    self._touched.update((key, (key[0], entry.key)))
                    Datalogger.objects.filter(pk=entry.id, gateway=None).update(gateway_id=entry.gateway.id)

    def _ensure_sensors(self, wanted: Sequence[tuple[int, DecodedReading]], now_us: int) -> None:
        missing: dict[tuple[int, str], tuple[DataloggerEntry, DecodedReading]] = {}
        for connection_id, reading in wanted:
            entry = self.dataloggers.get((connection_id, reading.device.key))
            if entry and reading.name not in entry.sensors:
                key = f"{entry.key}#{reading.name}"
                if fits(key):
                    missing[connection_id, key] = (entry, reading)
                    self._touched.update(((connection_id, entry.key), (connection_id, reading.device.key)))
        if not missing:
            return
        self._load_sensors(missing, now_us)
        absent = self._with_room(
            SensorDevice, [key for key, (entry, reading) in missing.items() if reading.name not in entry.sensors]
        )
        if absent:
            rows = []
            for place in absent:
                entry, reading = missing[place]
                rows.append(
                    SensorDevice(
                        connection_id=place[0],
                        key=place[1],
                        datalogger_id=entry.id,
                        name=reading.name[:250],
                        label=reading.label[:LABEL_LENGTH],
                        unit=reading.unit[:40],
                        kind=reading.kind[:40],
                    )
                )
            self._make(SensorDevice, rows, "sensors")
            self._load_sensors({key: missing[key] for key in absent}, now_us)

    def _load_sensors(
        self, missing: dict[tuple[int, str], tuple[DataloggerEntry, DecodedReading]], now_us: int
    ) -> None:
        for (connection_id, asked), row in rows_of(SensorDevice, NodeKind.SENSOR, missing, SENSOR_FIELDS):
            entry, reading = missing[connection_id, asked]
            entry.sensors[reading.name] = SensorEntry(connection_id, entry.id, row, now_us)
            self._sensors += 1

    def _with_room(self, model: Any, absent: Sequence[tuple[int, str]]) -> list[tuple[int, str]]:
        """Those of the new keys for which there is room; no datalogger is made that could have no sensor."""
        found = []
        for place in absent:
            left = self._left(place[0], model)
            if left <= 0 or (model is Datalogger and self._left(place[0], SensorDevice) <= 0):
                continue
            if model is not SensorDevice and not self._takes_one_more(place[0]):
                continue
            self._room[place[0], model] = left - 1
            found.append(place)
        return found

    def _takes_one_more(self, connection_id: int) -> bool:
        """Whether a new node finds room in this hour."""
        place = (connection_id, None)
        if place not in self._room:
            room = room_for_new(connection_id)
            self._room[place] = MOST_OF_CONNECTION if room is None else room
        if self._room[place] <= 0:
            self.crowded.add(connection_id)
            return False
        self._room[place] -= 1
        return True

    def _left(self, connection_id: int, model: Any) -> int:
        place = (connection_id, model)
        if place not in self._room:
            self._room[place] = MOST_OF_CONNECTION - model.objects.filter(connection=connection_id).count()
        return self._room[place]

    def _make(self, model: Any, rows: Sequence[Any], word: str) -> None:
        model.objects.bulk_create(rows, ignore_conflicts=True)
        self._below.clear()
        for row in rows:
            made = self.created.setdefault(row.connection_id, {})
            made[word] = made.get(word, 0) + 1

    def _forget_some(self) -> None:
        keep = list(self.dataloggers.items())[len(self.dataloggers) // 2 :]
        self.dataloggers = dict(keep)
        self._count_sensors()

    def _count_sensors(self) -> None:
        self._sensors = sum(len(entry.sensors) for entry in self.dataloggers.values())
