"""Two devices become one: a new one in the place of an old one, or one merged into another.

Keys, names, notes, corrections and current values change hands in one transaction, so that the next message goes
where it should; the readings follow in the background (`device_tasks`).
"""

from dataclasses import dataclass, field
from typing import Any

import orjson
from django.db import transaction
from django.utils import timezone

from mqtt.decoders.homeassistant.slots import FAMILY as DISCOVERY
from mqtt.enums import AuditAction, DeviceWork, NodeKind
from mqtt.exceptions import ServiceError
from mqtt.models import (
    MAX_KEY_BYTES,
    Datalogger,
    DeviceAlias,
    DeviceAnnouncement,
    DeviceTask,
    Gateway,
    SensorCorrection,
    SensorDevice,
    SensorState,
)
from mqtt.services.audit import Actor, record
from mqtt.services.device_rows import (
    KINDS,
    Device,
    Node,
    announce,
    bind_key,
    carry,
    chosen,
    chunks,
    locked,
    pass_aliases,
    rename_keys,
)

BY_HAND = ("label", "site_id", "expected_interval")
OF_SENSOR = ("label", "unit", "kind", "decimals", "expected_interval")
STATE = ("value", "text", "time", "flags")
EMPTY = ("", None)
"""Nobody wrote anything; 0 decimals are written."""


@dataclass
class Match:
    """The sensors of two dataloggers, by what their keys end with."""

    pairs: list[tuple[SensorDevice, SensorDevice]] = field(default_factory=list)
    """(of the one that goes, of the one that stays)."""
    going_alone: list[SensorDevice] = field(default_factory=list)
    """Only the one that goes has them: they move over as they are."""
    staying_alone: list[SensorDevice] = field(default_factory=list)
    """Only the one that stays has them: nothing new will come."""


def match(source: Datalogger, target: Datalogger) -> Match:
    """Which sensors are the same."""
    theirs, ours = _by_path(source), _by_path(target)
    return Match(
        pairs=[(sensor, ours[path]) for path, sensor in theirs.items() if path in ours],
        going_alone=[sensor for path, sensor in theirs.items() if path not in ours],
        staying_alone=[sensor for path, sensor in ours.items() if path not in theirs],
    )


def replace(actor: Actor, old: Node, new: Node) -> DeviceTask | None:
    """`new` stands in the field where `old` stood: `old` stays, and what is sent as `new` belongs to it."""
    return _join(actor, new, old, is_replaced=True)


def merge(actor: Actor, source: Device, target: Device) -> DeviceTask | None:
    """Both were one all along: what `source` has, `target` has from now on. None: there are no readings to move."""
    return _join(actor, source, target, is_replaced=False)


def release(actor: Actor, alias: DeviceAlias) -> None:
    """What comes under a further key belongs to a device of its own again; what came so far stays where it is."""
    device: Device | None = alias.gateway or alias.datalogger or alias.sensor
    if device is None:
        raise ServiceError("gone", name=alias.key)
    if said := _announcement_of(alias):
        raise ServiceError("alias_announced", name=alias.key, topic=said.key)
    with transaction.atomic():
        (device,) = locked(device)
        record(actor, AuditAction.RELEASED, KINDS[type(device)], device, {"key": alias.key})
        alias.delete()


def _announcement_of(alias: DeviceAlias) -> DeviceAnnouncement | None:
    """The discovery message that says that a device is known by this key: with its next message it would be again."""
    said = DeviceAnnouncement.objects.filter(
        connection=alias.connection_id, family=DISCOVERY, data__contains='"points"'
    )
    return said.filter(data__contains=f'"key":{orjson.dumps(alias.key).decode()}').first()


def _join(actor: Actor, source: Device, target: Device, *, is_replaced: bool) -> DeviceTask | None:
    kind = KINDS[type(target)]
    if type(source) is not type(target) or source.pk == target.pk:
        raise ServiceError("joined_with_itself")
    if source.connection_id != target.connection_id:
        raise ServiceError("joined_across", name=str(source), other=str(target))
    with transaction.atomic():
        source, target = locked(source, target)
        before = {"name": str(target), "key": target.key}
        details: dict[str, Any] = {"device": f"{source} ({source.key})"}
        pairs: dict[int, int] = {}
        if isinstance(source, Datalogger) and isinstance(target, Datalogger):
            found = match(source, target)
            details |= {"sensors": len(found.pairs), "moved": len(found.going_alone)}
            _join_dataloggers(source, target, found, source.key if is_replaced else target.key)
            pairs = {one.pk: other.pk for one, other in found.pairs}
        elif isinstance(source, Gateway) and isinstance(target, Gateway):
            details["dataloggers"] = Datalogger.objects.filter(gateway=source).update(gateway=target)
        elif isinstance(source, SensorDevice) and isinstance(target, SensorDevice):
            _join_sensors([(source, target)])
            pairs = {source.pk: target.pk}
        pass_aliases(source, target)
        carry(kind, {source.pk: target.pk})
        if not isinstance(source, SensorDevice) and not isinstance(target, SensorDevice):
            _take_over(source, target, is_replaced=is_replaced)
        key, label = source.key, str(source)
        type(source)._default_manager.filter(pk=source.pk).delete()  # noqa: SLF001 - Django's documented name for it
        if is_replaced:
            _take_key(target, key)
        else:
            bind_key(target, key)
        record(actor, AuditAction.REPLACED if is_replaced else AuditAction.MERGED, kind, target, {**details, **before})
        announce(target.connection_id, {kind: [target.pk, source.pk], NodeKind.SENSOR: [*pairs, *pairs.values()]})
        if not pairs:
            return None
        return DeviceTask.objects.create(
            work=DeviceWork.MERGE, connection_id=target.connection_id, kind=kind, object_id=target.pk,
            label=label[:250], sensors=[list(pair) for pair in pairs.items()],
        )  # fmt: skip


def _by_path(box: Datalogger) -> dict[str, SensorDevice]:
    start = f"{box.key}#"
    sensors = SensorDevice.objects.filter(datalogger=box).order_by("name", "pk")
    return {one.key.removeprefix(start) if one.key.startswith(start) else one.name: one for one in sensors}


def _join_dataloggers(source: Datalogger, target: Datalogger, found: Match, key: str) -> None:
    """All sensors under one datalogger, their keys beginning with `key`."""
    _join_sensors(found.pairs)
    longest = max((len(one.key.encode()) - len(source.key.encode()) for one in found.going_alone), default=0)
    staying = (len(one.key.encode()) - len(target.key.encode()) for one in found.staying_alone)
    longest = max(longest, max(staying, default=0))
    if len(key.encode()) + longest > MAX_KEY_BYTES:
        raise ServiceError("joined_key_too_long")
    SensorDevice.objects.filter(datalogger=source).update(datalogger=target)
    sensors = SensorDevice.objects.filter(datalogger=target)
    for old in {source.key, target.key} - {key}:
        rename_keys(sensors, old, key)
        for alias in DeviceAlias.objects.filter(sensor__datalogger=target).select_related("sensor"):
            if alias.key.startswith(f"{old}#"):
                bind_key(alias.sensor, key + alias.key[len(old) :])
                alias.delete()


def _join_sensors(pairs: list[tuple[SensorDevice, SensorDevice]]) -> None:
    """What the first of each pair has goes to the second, and the first is gone."""
    ids = {one.pk: other.pk for one, other in pairs}
    carry(NodeKind.SENSOR, ids)
    for some in chunks(pairs):
        mine = {one.pk: ids[one.pk] for one, _ in some}
        _carry_corrections(mine)
        DeviceAlias.objects.filter(sensor__in=mine).update(sensor_id=chosen("sensor_id", mine))
        _carry_values(mine)
        for one, other in some:
            _fill(one, other, OF_SENSOR)
        SensorDevice.objects.filter(pk__in=mine).delete()


def _carry_corrections(ids: dict[int, int]) -> None:
    """Where both have one of the same moment, that of the sensor that stays holds."""
    rows = SensorCorrection.objects.filter(sensor__in=[*ids, *ids.values()]).order_by()
    taken = set(rows.filter(sensor__in=ids.values()).values_list("sensor_id", "valid_from"))
    for one in rows.filter(sensor__in=ids):
        if (ids[one.sensor_id], one.valid_from) not in taken:
            one.sensor_id = ids[one.sensor_id]
            one.save(update_fields=["sensor"])


def _carry_values(ids: dict[int, int]) -> None:
    """The newer value is the current one, and who was heard later says whether it is there."""
    states = SensorState.objects.select_for_update(no_key=True).in_bulk([*ids, *ids.values()])
    for old, new in ids.items():
        theirs, ours = states.get(old), states.get(new)
        if theirs is None:
            continue
        if ours is None:
            ours = SensorState(sensor_id=new)
            ours.save(force_insert=True)
        if theirs.time is not None and (ours.time is None or theirs.time > ours.time):
            for name in STATE:
                setattr(ours, name, getattr(theirs, name))
        _take_presence(theirs, ours)
        ours.save(update_fields=[*STATE, "availability", "availability_since", "last_seen_at"])


def _take_presence(theirs: Any, ours: Any) -> None:
    if theirs.last_seen_at is not None and (ours.last_seen_at is None or theirs.last_seen_at > ours.last_seen_at):
        for name in ("last_seen_at", "availability", "availability_since"):
            setattr(ours, name, getattr(theirs, name))


def _take_over(source: Node, target: Node, *, is_replaced: bool) -> None:
    """What a node says of itself is what the device that stands there now says; what people wrote stays."""
    if is_replaced:
        target.label = target.label or target.identifier[:120]  # it keeps the name under which everybody knows it
        target.identifier = source.identifier
        target.model, target.firmware = source.model, source.firmware
        target.facts = source.facts
    else:
        target.facts = source.facts | target.facts
        target.model, target.firmware = target.model or source.model, target.firmware or source.firmware
    if isinstance(source, Datalogger) and isinstance(target, Datalogger):
        first, second = (source, target) if is_replaced else (target, source)
        target.gateway_id = first.gateway_id or second.gateway_id
        target.save(update_fields=["gateway"])
    target.accepted_at = target.accepted_at or source.accepted_at or timezone.now()  # somebody knows it
    target.save(update_fields=["label", "identifier", "model", "firmware", "facts", "accepted_at"])
    _fill(source, target, BY_HAND)
    theirs, ours = getattr(source, "state", None), getattr(target, "state", None)
    if theirs is not None and ours is not None:
        _take_presence(theirs, ours)
        ours.save(update_fields=["last_seen_at", "availability", "availability_since"])


def _fill(source: Device, target: Device, names: tuple[str, ...]) -> None:
    """What people wrote of the one, where nothing stands at the other."""
    changed = [name for name in names if getattr(target, name) in EMPTY and getattr(source, name) not in EMPTY]
    for name in changed:
        setattr(target, name, getattr(source, name))
    if changed:
        target.save(update_fields=[name.removesuffix("_id") for name in changed])


def _take_key(target: Device, key: str) -> None:
    """The key of the device that stands there now; the old one stays a further one."""
    old, target.key = target.key, key
    target.save(update_fields=["key"])
    bind_key(target, old)
    DeviceAlias.objects.filter(connection=target.connection_id, kind=KINDS[type(target)], key=key).delete()
