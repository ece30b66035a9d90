"""A device that is announced after it was met: what came under the guessed key goes on in the one device.

Runs in the batch's transaction, under the lease of the connection, before anything new is made. Where all that a
device has is announced, the announced key becomes a further key of it: history, label, notes and address stay. Where
only some is, as of a topic with several devices below, those sensors move with their history, and the last takes the
rest along.
"""

from collections import defaultdict
from collections.abc import Collection

from mqtt.enums import NodeKind
from mqtt.messages import DeviceRef, Moved
from mqtt.models import MAX_KEY_BYTES, Datalogger, DeviceAlias, SensorDevice
from mqtt.services.audit import Actor
from mqtt.services.device_joining import merge
from mqtt.services.device_rows import announce, bind_key, rename_keys
from mqtt.services.pipeline.device_directory import DeviceDirectory

ITSELF = Actor(None, "Vedetta", "mqtt")
"""Whose doing it is, in the audit."""

Move = tuple[str, DeviceRef]
"""(the key until now, the device that was announced)."""


def take_over(directory: DeviceDirectory, moved: Collection[tuple[int, Moved]], now_us: int) -> None:
    """Let what stands under guessed keys go on as what was announced; (connection, what moved)."""
    names: dict[int, dict[Move, dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
    for connection_id, one in moved:
        names[connection_id][one.before, one.device][one.name] = one.to
    for connection_id, moves in names.items():
        rekeyed = {one.before for pk, one in moved if one.rekeys and pk == connection_id}
        directory.load_dataloggers({(connection_id, before) for before, _ in moves}, now_us)  # few are there any more
        known = {before for before, _ in moves if (connection_id, before) in directory.dataloggers}
        for (before, ref), pairs in moves.items():
            if before not in known:
                continue
            directory.load_dataloggers([(connection_id, before), (connection_id, ref.key)], now_us)
            if (connection_id, before) in directory.dataloggers:
                _Takeover(directory, connection_id, before, ref, now_us).run(pairs, rekeys=before in rekeyed)
                known.add(ref.key)  # what has a better name now may be announced under yet another


class _Takeover:
    """One device until now, one that was announced."""

    def __init__(
        self, directory: DeviceDirectory, connection_id: int, before: str, ref: DeviceRef, now_us: int
    ) -> None:
        self._directory = directory
        self._connection_id = connection_id
        self._before = (connection_id, before)
        self._place = (connection_id, ref.key)
        self._ref = ref
        self._now_us = now_us

    def run(self, pairs: dict[str, str], *, rekeys: bool) -> None:
        """`pairs`: {name until now: name from now on}; under the empty name what stands before all names.

        `rekeys`: the key until now must not stay.
        """
        known = self._directory.dataloggers
        old = Datalogger.objects.get(pk=known[self._before].id)
        sensors = list(SensorDevice.objects.filter(datalogger=old))
        if "" in pairs:
            start = f"{pairs['']}." if pairs[""] else ""
            leaving = [(one, start + one.name) for one in sensors]
        else:
            leaving = [(one, pairs[one.name]) for one in sensors if one.name in pairs]
        if not leaving:
            return
        if self._place in known and known[self._place].id == old.pk:
            self._rename(old, leaving)
        elif self._place in known or len(leaving) < len(sensors):
            self._move(old, leaving)
        elif rekeys:
            self._take_key(old)
            old.key = self._ref.key
            Datalogger.objects.filter(pk=old.pk).update(identifier=self._ref.identifier[:250])
            self._rename(old, leaving)
        else:
            bind_key(old, self._ref.key)
            Datalogger.objects.filter(pk=old.pk).update(identifier=self._ref.identifier[:250])
            self._rename(old, leaving)

    def _take_key(self, box: Datalogger) -> None:
        """The new key in the place of the old one, everywhere."""
        rename_keys(SensorDevice.objects.filter(datalogger=box), box.key, self._ref.key)
        rename_keys(DeviceAlias.objects.filter(sensor__datalogger=box), box.key, self._ref.key)
        Datalogger.objects.filter(pk=box.pk).update(key=self._ref.key)

    def _rename(self, box: Datalogger, leaving: list[tuple[SensorDevice, str]]) -> list[int]:
        """Give sensors to a device under their new names, where it has none of that name."""
        keys = [f"{box.key}#{name}" for _, name in leaving]
        rows = SensorDevice.objects.filter(connection=self._connection_id)
        taken = set(rows.filter(key__in=keys).values_list("key", flat=True))
        given = []
        for (sensor, name), key in zip(leaving, keys, strict=True):
            if key not in taken and len(key.encode()) <= MAX_KEY_BYTES:
                DeviceAlias.objects.filter(connection=box.connection_id, kind=NodeKind.SENSOR, key=key).delete()
                sensor.datalogger, sensor.key, sensor.name = box, key, name[:250]
                sensor.save(update_fields=["datalogger", "key", "name"])
                given.append(sensor.pk)
        self._redraw({NodeKind.DATALOGGER: [box.pk], NodeKind.SENSOR: given})
        return given

    def _move(self, old: Datalogger, leaving: list[tuple[SensorDevice, str]]) -> None:
        """To a device of their own; when nothing is left behind, the old one is part of that."""
        known = self._directory.dataloggers
        self._directory.ensure([], {self._place: self._ref}, self._now_us)
        if self._place not in known:
            return  # no room for a new device: it goes on as before
        new = Datalogger.objects.get(pk=known[self._place].id)
        self._rename(new, leaving)
        if not SensorDevice.objects.filter(datalogger=old).exists():
            merge(ITSELF, old, new)
        self._redraw({NodeKind.DATALOGGER: [old.pk, new.pk]})

    def _redraw(self, changed: dict[NodeKind, list[int]]) -> None:
        self._directory.drop([self._before, self._place])
        announce(self._connection_id, changed)
