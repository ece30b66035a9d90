"""What a click sends over the channel layer, through a real Valkey."""

import asyncio
from typing import Any

import pytest
from channels.layers import get_channel_layer
from django.db import connections as databases

from mqtt import groups
from mqtt.services import connections
from mqtt.services.audit import Actor
from tests import factories

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


def in_a_thread(work: Any, *arguments: Any) -> Any:
    """Run as a view would, and close the thread's database connection."""

    def run() -> Any:
        try:
            return work(*arguments)
        finally:
            databases.close_all()

    return asyncio.to_thread(run)


async def received(*calls: Any) -> list[dict[str, Any]]:
    """All events of a call that wakes the mqtt processes, in the order of their arrival."""
    layer: Any = get_channel_layer()
    channel = await layer.new_channel()
    for group in (groups.STATUS_UPDATES, groups.COMMANDS):
        await layer.group_add(group, channel)
    await in_a_thread(*calls)
    found: list[dict[str, Any]] = []
    while not found or found[-1]["type"] != "wake.up":
        found.append(await asyncio.wait_for(layer.receive(channel), 5))
    for group in (groups.STATUS_UPDATES, groups.COMMANDS):
        await layer.group_discard(group, channel)
    return found


async def test_enabling_announces_the_new_status_and_wakes_the_mqtt_processes() -> None:
    connection = await in_a_thread(lambda: factories.make_connection(is_enabled=False, status="disabled", leased=False))
    status, wake = await received(connections.enable_connection, Actor.command("test"), connection)
    assert (status["type"], status["connection_id"], status["status"]) == ("status.update", connection.pk, "connecting")
    assert {"status", "is_enabled"} <= set(status["changed"])
    assert wake["connection_id"] == connection.pk


async def test_a_changed_setting_is_announced_too() -> None:
    connection = await in_a_thread(factories.make_connection)
    connection.name = "works"
    status, _wake = await received(connections.update_connection, Actor.command("test"), connection, ["name"])
    assert (status["changed"], status["status"]) == (["name"], "connected")


async def test_a_deleted_connection_is_announced() -> None:
    connection = await in_a_thread(lambda: factories.make_connection(leased=False))
    events = await received(connections.delete_connection, Actor.command("test"), connection)
    assert events[0]["status"] == "disabled"
