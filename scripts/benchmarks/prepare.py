"""Run inside a case's environment: makes its one connection, a user who may look and switch, and the user's cookie.

`python -m benchmarks.prepare PORT PROTOCOL QOS [SENSORS]` prints JSON; with SENSORS the tables are filled first.
"""

import json
import sys
from datetime import timedelta

import django

django.setup()

from django.conf import settings  # noqa: E402 - models and settings can be read only after Django is set up
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402
from django.contrib.auth.models import Group, User  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402
from django.db import connection as database  # noqa: E402
from django.utils import timezone  # noqa: E402

from benchmarks import packets  # noqa: E402
from mqtt.enums import ConnectionStatus  # noqa: E402
from mqtt.models import (  # noqa: E402
    Datalogger,
    DataloggerState,
    DiscoveredTopic,
    Gateway,
    GatewayState,
    MqttConnection,
    SensorDevice,
    SensorState,
    TopicSubscription,
    UndecodedMessage,
)

BATCH = 2_000


def make_connection(port: int, protocol: str, qos: int) -> MqttConnection:
    """One enabled connection to the bench's broker."""
    connection = MqttConnection(
        name="Bench",
        host="127.0.0.1",
        port=port,
        protocol=protocol,
        status=ConnectionStatus.CONNECTING,
        status_changed_at=timezone.now(),
    )
    connection.save(force_insert=True)
    TopicSubscription.objects.create(connection=connection, topic_filter=packets.FILTER, qos=qos)
    return connection


def make_cookie() -> str:
    """A logged-in operator's session, without the slow hashing of a password."""
    user = User.objects.create(username="bench")
    user.groups.add(*Group.objects.filter(name="operator"))
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return f"{settings.SESSION_COOKIE_NAME}={session.session_key}"


def fill(connection: MqttConnection, sensors: int) -> None:
    """`sensors` sensors, eight on a datalogger, two hundred on a gateway, each heard a moment ago."""
    now = timezone.now()
    common = {"connection": connection}
    gateways = [Gateway(**common, key=f"filled/gw-{n}", identifier=f"gw-{n:04}") for n in range((sensors + 199) // 200)]
    Gateway.objects.bulk_create(gateways, BATCH)
    GatewayState.objects.bulk_create([GatewayState(gateway=one, last_seen_at=now) for one in gateways], BATCH)
    dataloggers = [
        Datalogger(**common, key=f"filled/dl-{n}", identifier=f"dl-{n:05}", gateway=gateways[n // 25])
        for n in range((sensors + 7) // 8)
    ]
    Datalogger.objects.bulk_create(dataloggers, BATCH)
    DataloggerState.objects.bulk_create([DataloggerState(datalogger=one, last_seen_at=now) for one in dataloggers])
    made = [
        SensorDevice(
            **common, key=f"filled/dl-{n // 8}#c-{n % 8}", name=f"c-{n % 8}", unit="°C", datalogger=dataloggers[n // 8]
        )
        for n in range(sensors)
    ]
    SensorDevice.objects.bulk_create(made, BATCH)
    SensorState.objects.bulk_create(
        [SensorState(sensor=one, value=20 + n % 90, time=now, last_seen_at=now) for n, one in enumerate(made)], BATCH
    )
    DiscoveredTopic.objects.bulk_create(
        [
            DiscoveredTopic(
                **common, topic=f"filled/dl-{n // 8}/c-{n % 8}", first_seen_at=now, last_seen_at=now, message_count=9
            )
            for n in range(sensors)
        ],
        BATCH,
    )
    UndecodedMessage.objects.bulk_create(
        [
            UndecodedMessage(
                **common,
                topic=f"filled/bad-{n}",
                payload=b"\xff\x00",
                size=2,
                received_at=now - timedelta(seconds=n),
                reason="not_utf8",
                context={"position": 0},
            )
            for n in range(min(sensors, 1000))
        ],
        BATCH,
    )


def know_tables() -> None:
    """Vacuum and analyze, as PostgreSQL itself does soon: only then it knows that its index of words is worth it."""
    if database.vendor == "postgresql":
        with database.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


def main() -> None:
    """Prepare and report."""
    port, protocol, qos, *sensors = sys.argv[1:]
    connection = make_connection(int(port), protocol, int(qos))
    if sensors:
        fill(connection, int(sensors[0]))
        know_tables()
    print(json.dumps({"connection": connection.pk, "cookie": make_cookie()}))


if __name__ == "__main__":
    main()
