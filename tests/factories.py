"""Rows for tests: each function makes one thing with sensible defaults, and what it needs around it."""

import itertools
import uuid
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from mqtt.enums import Availability, ConnectionStatus
from mqtt.models import (
    Command,
    ConnectionActivity,
    ConnectionLease,
    Datalogger,
    DataloggerState,
    DiscoveredTopic,
    Gateway,
    GatewayState,
    MqttConnection,
    Note,
    Reading,
    SensorCorrection,
    SensorDevice,
    SensorState,
    Site,
    StatusChange,
    TopicSubscription,
    UndecodedMessage,
    to_us,
)
from mqtt.services.notes import new_note

counter = itertools.count(1)


def make_site(**fields: Any) -> Site:
    return Site.objects.create(**{"name": f"Site {next(counter)}", **fields})


def make_connection(
    *, leased: bool = True, filters: tuple[str, ...] = ("#",), activity: dict[str, Any] | None = None, **fields: Any
) -> MqttConnection:
    """A connection that is up and held by an mqtt process, unless told otherwise."""
    number = next(counter)
    connection = MqttConnection(
        **{
            "name": f"Connection {number}",
            "host": "broker.example",
            "client_id": f"test-{number}",
            "status": ConnectionStatus.CONNECTED,
            "status_changed_at": timezone.now() - timedelta(hours=1),
            **fields,
        }
    )
    connection.save(force_insert=True)
    for topic_filter in filters:
        TopicSubscription.objects.create(connection=connection, topic_filter=topic_filter, granted_qos=1)
    if leased:
        make_lease(connection)
    if activity is not None:
        ConnectionActivity.objects.create(connection=connection, **activity)
    return connection


def make_lease(connection: MqttConnection, seconds: float = 3600, **fields: Any) -> ConnectionLease:
    """A lease that runs for so long from now; negative: it has run out."""
    values = {
        "holder": "test",
        "token": uuid.uuid4(),
        "expires_at": timezone.now() + timedelta(seconds=seconds),
        **fields,
    }
    return ConnectionLease.objects.update_or_create(connection=connection, defaults=values)[0]


def make_gateway(
    connection: MqttConnection | None = None, availability: str = Availability.ONLINE, **fields: Any
) -> Gateway:
    number = next(counter)
    gateway = Gateway.objects.create(
        **{
            "connection": connection or make_connection(),
            "key": f"site/gateway-{number}",
            "identifier": f"gateway-{number}",
            **fields,
        }
    )
    GatewayState.objects.create(gateway=gateway, availability=availability, last_seen_at=timezone.now())
    return gateway


def make_datalogger(
    connection: MqttConnection | None = None,
    gateway: Gateway | None = None,
    availability: str = Availability.ONLINE,
    **fields: Any,
) -> Datalogger:
    number = next(counter)
    connection = connection or (gateway.connection if gateway else make_connection())
    datalogger = Datalogger.objects.create(
        **{
            "connection": connection,
            "gateway": gateway,
            "key": f"site/datalogger-{number}",
            "identifier": f"datalogger-{number}",
            **fields,
        }
    )
    DataloggerState.objects.create(datalogger=datalogger, availability=availability, last_seen_at=timezone.now())
    return datalogger


def make_sensor(
    datalogger: Datalogger | None = None,
    value: float | None = 21.37,
    text: str | None = None,
    availability: str = Availability.ONLINE,
    **fields: Any,
) -> SensorDevice:
    """A sensor with its current value."""
    number = next(counter)
    datalogger = datalogger or make_datalogger()
    name = fields.pop("name", f"temperature_{number}")
    sensor = SensorDevice.objects.create(
        **{
            "connection": datalogger.connection,
            "datalogger": datalogger,
            "key": f"{datalogger.key}#{name}",
            "name": name,
            "unit": "°C",
            "kind": "temperature",
            **fields,
        }
    )
    now = timezone.now()
    SensorState.objects.create(
        sensor=sensor,
        value=None if text is not None else value,
        text=text,
        time=now,
        last_seen_at=now,
        availability=availability,
    )
    return sensor


def make_correction(sensor: SensorDevice, **fields: Any) -> SensorCorrection:
    given = {"valid_from": timezone.now() - timedelta(days=1), "reason": "drift", "author_name": "engineer", **fields}
    return SensorCorrection.objects.create(sensor=sensor, **given)


def make_note(thing: Any, **fields: Any) -> Note:
    note = new_note(thing, text="The strap was loose.")
    for name, value in {"author_name": "engineer", **fields}.items():
        setattr(note, name, value)
    note.save(force_insert=True)
    return note


def make_reading(sensor: SensorDevice, value: float = 21.37, time: datetime | None = None, **fields: Any) -> Reading:
    time = time or timezone.now()
    return Reading.objects.create(
        **{"sensor": sensor, "time": time, "digest": to_us(time), "received_at": time, "value": value, **fields}
    )


def make_topic(connection: MqttConnection | None = None, **fields: Any) -> DiscoveredTopic:
    now = timezone.now()
    return DiscoveredTopic.objects.create(
        **{
            "connection": connection or make_connection(),
            "topic": f"site/topic-{next(counter)}",
            "first_seen_at": now,
            "last_seen_at": now,
            "message_count": 1,
            "last_payload": b'{"temperature": 21.37}',
            "last_size": 22,
            **fields,
        }
    )


def make_undecoded(connection: MqttConnection | None = None, **fields: Any) -> UndecodedMessage:
    return UndecodedMessage.objects.create(
        **{
            "connection": connection or make_connection(),
            "topic": "site/garbage",
            "payload": b"\xff\x00garbage",
            "size": 9,
            "received_at": timezone.now(),
            "reason": "not_utf8",
            "context": {"position": 0},
            **fields,
        }
    )


def make_command(connection: MqttConnection | None = None, **fields: Any) -> Command:
    return Command.objects.create(
        **{
            "connection": connection or make_connection(),
            "topic": f"hall/lamp-{next(counter)}/set",
            "payload": b'{"on": true}',
            "actor": "operator",
            **fields,
        }
    )


def make_status_change(connection: MqttConnection, to_status: str = "connected", **fields: Any) -> StatusChange:
    return StatusChange.objects.create(
        **{
            "kind": "connection",
            "object_id": connection.pk,
            "connection": connection,
            "label": connection.name,
            "from_status": "connecting",
            "to_status": to_status,
            "at": timezone.now(),
            **fields,
        }
    )
