"""Corrections of sensors: written by people, read by whatever shows values."""

import math
from collections import defaultdict
from collections.abc import Iterable
from functools import partial

from django.db import IntegrityError, transaction

from mqtt.corrections import Correction, Corrections
from mqtt.enums import AuditAction, NodeKind
from mqtt.events import AvailabilityChanged
from mqtt.exceptions import ServiceError
from mqtt.models import SensorCorrection, SensorDevice, to_us
from mqtt.services.audit import Actor, record, snapshot
from mqtt.services.broadcast import broadcast_event

FIELDS = ("valid_from", "gain", "offset", "zero", "reason")
CHUNK = 400


def corrections_of(sensor_ids: Iterable[int]) -> dict[int, Corrections]:
    """The corrections of those sensors that have any, in one query for each few hundred."""
    wanted = list(sensor_ids)
    found: dict[int, list[Correction]] = defaultdict(list)
    for start in range(0, len(wanted), CHUNK):
        rows = SensorCorrection.objects.filter(sensor__in=wanted[start : start + CHUNK]).order_by()
        for sensor_id, at, gain, offset, zero in rows.values_list("sensor_id", "valid_from", "gain", "offset", "zero"):
            found[sensor_id].append(Correction(to_us(at), gain, offset, zero))
    return {sensor_id: Corrections(ones) for sensor_id, ones in found.items()}


def add_correction(actor: Actor, correction: SensorCorrection) -> SensorCorrection:
    """Store a correction. Raises ServiceError when there is one of the same moment, or the sensor is gone."""
    numbers = (correction.gain, correction.offset, correction.zero)
    if not all(math.isfinite(number) for number in numbers) or correction.gain == 0:
        raise ServiceError("correction_without_gain")
    correction.author, correction.author_name = actor.user, correction.author_name or actor.name[:150]
    with transaction.atomic():
        sensor = SensorDevice.objects.select_for_update().filter(pk=correction.sensor_id).first()
        if sensor is None:
            raise ServiceError("gone", name=str(correction.sensor))
        try:
            with transaction.atomic():
                correction.save(force_insert=True)
        except IntegrityError:
            raise ServiceError("corrected_then") from None
        _record(actor, AuditAction.CORRECTED, sensor, correction)
    return correction


def remove_correction(actor: Actor, correction: SensorCorrection) -> None:
    """Take a correction back: the one before it holds on."""
    with transaction.atomic():
        _record(actor, AuditAction.UNCORRECTED, correction.sensor, correction)
        correction.delete()


def _record(actor: Actor, action: AuditAction, sensor: SensorDevice, correction: SensorCorrection) -> None:
    """Into the audit, and onto every page that shows the sensor."""
    record(actor, action, NodeKind.SENSOR, sensor, snapshot(correction, FIELDS))
    event = AvailabilityChanged(connection_id=sensor.connection_id, sensors=[sensor.pk])
    transaction.on_commit(partial(broadcast_event, event))
