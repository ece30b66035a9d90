"""Who may see what: roles, and what is left of a connection that is being deleted."""

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User

from mqtt.models import (
    Command,
    Datalogger,
    DiscoveredTopic,
    Gateway,
    Mapping,
    MqttConnection,
    Note,
    SensorDevice,
    UndecodedMessage,
)
from mqtt.permissions import ADMINISTER, CONFIGURE, NEEDED, OPERATE, PUBLISH, TAIL, VIEW, can, visible_to
from mqtt.services import connections
from mqtt.services.audit import Actor
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.database, pytest.mark.usefixtures("valkey")]

OF_A_CONNECTION: list[Any] = [
    MqttConnection, Gateway, Datalogger, SensorDevice, DiscoveredTopic, UndecodedMessage, Command, Note, Mapping,
]  # fmt: skip


def fill(connection: MqttConnection) -> None:
    """One of each for a connection."""
    factories.make_sensor(factories.make_datalogger(gateway=factories.make_gateway(connection)))
    factories.make_topic(connection)
    factories.make_undecoded(connection)
    factories.make_note(connection)
    factories.make_command(connection)
    Mapping.objects.create(name=connection.name, connection=connection, topic_pattern="t")


def test_roles_may_what_they_are_for_and_nobody_else_may_anything(
    viewer: User, operator: User, administrator: User, stranger: User
) -> None:
    may = {user.username: {one for one in NEEDED if can(user, one)} for user in (viewer, operator, administrator)}
    assert may["viewer"] == {VIEW}
    assert may["operator"] == {VIEW, OPERATE, PUBLISH, TAIL}
    assert may["administrator"] == {VIEW, OPERATE, PUBLISH, TAIL, CONFIGURE, ADMINISTER}
    administrator.is_active = False
    for user in (stranger, AnonymousUser(), administrator):
        assert not any(can(user, one) for one in NEEDED)
        assert not visible_to(user, MqttConnection.objects.all()).exists()


def test_nothing_of_a_connection_that_is_being_deleted_is_seen_and_all_of_the_others(viewer: User) -> None:
    leaving, staying = factories.make_connection(), factories.make_connection()
    for connection in (leaving, staying):
        fill(connection)
    Mapping.objects.create(name="everywhere", topic_pattern="t")
    factories.make_note(factories.make_site())

    def seen() -> dict[str, int]:
        return {model.__name__: visible_to(viewer, model.objects.all()).count() for model in OF_A_CONNECTION}

    before = seen()
    connections.delete_connection(Actor.command("test"), leaving)
    after = seen()
    expected = dict.fromkeys(before, 1) | {"Note": 2, "Mapping": 2}
    assert before == {name: count + 1 for name, count in expected.items()}
    assert after == expected, "what belongs to no connection stays"
