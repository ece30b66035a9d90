"""The connection to the embedded broker: made once, and kept in step with the broker's address and login."""

from django.db.models import Q

from mqtt.encryption import SecretUnreadableError, decrypt
from mqtt.enums import Protocol, QoS, Transport
from mqtt.models import MqttConnection, TopicSubscription
from mqtt.services.audit import Actor
from mqtt.services.broker_places import LOCAL_HOSTS
from mqtt.services.connections import Secrets, create_connection, update_connection
from mqtt.supervisor.broker import BrokerSettings

NAME = "Embedded broker"


def keep_embedded_connection(current: BrokerSettings, before: BrokerSettings | None) -> None:
    """Make the first connection of an empty console; later follow a change of port or login.

    Which connections mean the embedded broker is told by where it listened the last time; in a data folder where it
    never did, such as that of a restored backup, by the name that we gave and an address of this machine.
    """
    actor = Actor.command("Vedetta")
    if not MqttConnection.objects.exists():
        connection = MqttConnection(
            name=NAME,
            host=current.reachable_at,
            port=current.port,
            protocol=Protocol.V311,
            username=current.username,
            reads_statistics=False,  # rumqttd has none, and ends the link of whoever asks
        )
        subscriptions = [TopicSubscription(topic_filter="#", qos=QoS.AT_LEAST_ONCE)]
        create_connection(actor, connection, subscriptions, Secrets(password=current.password))
        return
    hosts = LOCAL_HOSTS | {(before or current).reachable_at, current.reachable_at}
    ours = Q(port=before.port) if before else Q(port=current.port) | Q(name=NAME)
    for connection in MqttConnection.objects.filter(ours, host__in=hosts, transport=Transport.TCP):
        _follow(actor, connection, current)


def _follow(actor: Actor, connection: MqttConnection, current: BrokerSettings) -> None:
    wanted: dict[str, str | int] = {"port": current.port, "username": current.username, "reads_statistics": False}
    if connection.host not in LOCAL_HOSTS or current.reachable_at not in LOCAL_HOSTS:
        wanted["host"] = current.reachable_at
    changed = [name for name, value in wanted.items() if getattr(connection, name) != value]
    for name in changed:
        setattr(connection, name, wanted[name])
    try:
        has_password = decrypt(connection.password_token) == current.password
    except SecretUnreadableError:
        has_password = False
    if changed or not has_password:
        update_connection(actor, connection, changed, secrets=Secrets(password=current.password))
