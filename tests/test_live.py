"""The sockets of pages, on real Valkey."""

import asyncio
import json
import threading
import time
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.contrib.sessions.models import Session
from django.utils import timezone

from mqtt.events import AvailabilityChanged, ReadingsStored
from mqtt.fragments import Variant, render_row
from mqtt.lists import queries
from mqtt.live import current_hub
from mqtt.models import ConnectionActivity, MqttConnection, SensorState
from mqtt.services.broadcast import broadcast_event, broadcast_status_update
from tests import factories
from tests.live_sockets import connect, open_page, until
from tests.servers import PATIENCE

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

db = database_sync_to_async


@pytest.fixture(autouse=True)
def _short_interval(settings: Any) -> None:
    settings.LIVE_INTERVAL = 0.25


def set_status(pk: int, status: str) -> None:
    connection = MqttConnection.objects.get(pk=pk)
    connection.status, connection.status_changed_at = status, timezone.now()
    connection.save(update_fields=["status", "status_changed_at"])


def set_value(sensor: Any, value: float) -> None:
    SensorState.objects.filter(pk=sensor.pk).update(value=value, last_seen_at=timezone.now())
    broadcast_event(ReadingsStored(connection_id=sensor.connection_id, sensors=[sensor.pk]))


async def test_the_first_frame_is_the_current_state(operator: Any) -> None:
    connection = await db(factories.make_connection)()
    async with open_page("/ws/connections/", operator) as socket:
        first = await socket.read()
        row = await db(lambda: queries.connections().get())()
        pushed = await db(render_row)("connection", row, Variant("en", can_operate=True))
        assert first == pushed
        assert first.startswith(f'<tr id="connection-{connection.pk}"')


@pytest.mark.parametrize("kind", ["gateways", "dataloggers", "sensors", "topics", "undecoded", "overview", "console"])
async def test_every_page_has_a_socket(viewer: Any, kind: str) -> None:
    async with open_page(f"/ws/{kind}/", viewer) as socket:
        assert await socket.read()


async def test_without_login_nobody_gets_in() -> None:
    _, is_in, code = await connect("/ws/connections/", None)
    assert (is_in, code) == (False, 4401)


async def test_without_a_role_nobody_gets_in(stranger: Any) -> None:
    _, is_in, code = await connect("/ws/connections/", stranger)
    assert (is_in, code) == (False, 4403)


async def test_a_foreign_origin_is_refused(operator: Any) -> None:
    _, is_in, _ = await connect("/ws/connections/", operator, origin="https://elsewhere.example")
    assert not is_in


@pytest.mark.parametrize("path", ["/ws/nothing/", "/ws/connections/999999/", "/elsewhere/", "/ws/sensors/1/2/"])
async def test_a_socket_that_no_page_has_is_refused(operator: Any, path: str) -> None:
    _, is_in, code = await connect(path, operator)
    assert (is_in, code) == (False, 4404)


async def test_a_status_change_brings_the_row(viewer: Any) -> None:
    connection = await db(factories.make_connection)()
    async with open_page("/ws/connections/", viewer) as socket:
        await socket.settle()
        await db(set_status)(connection.pk, "error")
        frame = await socket.until(f'<tr id="connection-{connection.pk}" data-status="error"')
        assert "data-action" not in frame, "a viewer gets no buttons"


async def test_a_second_status_is_not_held_back_by_the_first(viewer: Any, settings: Any) -> None:
    settings.LIVE_INTERVAL = 60.0
    connection = await db(factories.make_connection)()
    async with open_page("/ws/connections/", viewer) as socket:
        await socket.settle()
        for status in ("connecting", "error", "connected"):
            await db(set_status)(connection.pk, status)
            assert await socket.until(f'<tr id="connection-{connection.pk}" data-status="{status}"')


async def test_a_status_change_moves_counters_and_badges(viewer: Any) -> None:
    connection = await db(factories.make_connection)()
    async with open_page("/ws/connections/", viewer) as socket:
        await socket.settle()
        await db(set_status)(connection.pk, "error")
        frame = await socket.until('<span class="n bad" id="badge-connections">1')
        assert 'data-chip="error"' in frame
        assert "<tr" not in frame, "rows travel in frames of their own"


async def test_new_rates_touch_the_connections_row_and_not_its_devices(viewer: Any) -> None:
    sensor = await db(factories.make_sensor)()
    async with open_page("/ws/sensors/", viewer) as sensors, open_page("/ws/connections/", viewer) as connections:
        await sensors.settle()
        await connections.settle()
        await db(ConnectionActivity.objects.create)(connection_id=sensor.connection_id, message_rate=7)
        broadcast_status_update(sensor.connection_id, "connected", ["activity"])
        assert await connections.until(f'id="connection-{sensor.connection_id}"')
        assert not [frame for frame in await sensors.settle(0.6) if "<tr" in frame]


async def test_readings_bring_their_row_within_the_interval(viewer: Any) -> None:
    sensor = await db(factories.make_sensor)()
    other = await db(factories.make_sensor)()
    async with open_page("/ws/sensors/", viewer) as socket:
        await socket.settle()
        await db(set_value)(sensor, 99.5)
        frame = await socket.until('data-value="99.5"')
        assert f'id="sensor-{other.pk}"' not in frame, "only what changed is sent"


@pytest.mark.parametrize("event", [ReadingsStored, AvailabilityChanged])
async def test_rows_that_an_event_had_no_room_for_are_read_again(viewer: Any, event: Any) -> None:
    sensor, foreign = await db(factories.make_sensor)(), await db(factories.make_sensor)()
    paths = ("/ws/sensors/", f"/ws/sensors/{sensor.pk}/")
    async with open_page(paths[0], viewer) as listed, open_page(paths[1], viewer) as alone:
        await listed.settle()
        await alone.settle()
        await db(SensorState.objects.update)(value=99.5)
        broadcast_event(event(connection_id=sensor.connection_id, sensors=[sensor.pk + 1000], more=True))
        frame = await listed.until('data-value="99.5"')
        assert f'id="sensor-{sensor.pk}"' in frame
        assert f'id="sensor-{foreign.pk}"' not in frame, "other connections are as they were"
        assert await alone.until('data-value="99.5"')


async def test_many_changes_of_one_row_are_sent_at_most_once_an_interval(viewer: Any, settings: Any) -> None:
    settings.LIVE_INTERVAL = 1.0
    sensor = await db(factories.make_sensor)()
    async with open_page("/ws/sensors/", viewer) as socket:
        await socket.settle()
        began = time.monotonic()
        for number in range(20):
            await db(set_value)(sensor, float(number))
            await asyncio.sleep(0.02)
        frames = [""]
        while 'data-value="19"' not in frames[-1]:  # the newest value arrives
            frames.append(await socket.until(f'id="sensor-{sensor.pk}"'))
        assert len(frames[1:]) <= 2 + time.monotonic() - began


async def test_a_paused_page_gets_nothing_and_catches_up(viewer: Any) -> None:
    sensor = await db(factories.make_sensor)()
    async with open_page("/ws/sensors/", viewer) as socket:
        await socket.settle()
        await socket.send_to(text_data='{"action": "pause"}')
        await until(lambda: all(page.viewer.paused for page in current_hub().consumers))
        await db(set_value)(sensor, 77.5)
        assert not [frame for frame in await socket.settle(0.8) if "77.5" in frame]
        await socket.send_to(text_data='{"action": "resume"}')
        assert await socket.until('data-value="77.5"')


async def test_a_paused_page_still_learns_how_many_problems_there_are(viewer: Any) -> None:
    connection = await db(factories.make_connection)()
    async with open_page("/ws/connections/", viewer) as socket:
        await socket.settle()
        await socket.send_to(text_data='{"action": "pause"}')
        await until(lambda: all(page.viewer.paused for page in current_hub().consumers))
        await db(set_status)(connection.pk, "error")
        frame = await socket.until('<span class="n bad" id="badge-connections">1')
        assert "data-chip" not in frame, "nobody looks at the rest"


GARBAGE = [
    " ", "[]", "null", "7", '"show"', "{", "{}", '{"action": 5}', '{"action": "explode"}', '{"action": ["show"]}',
    '{"action": "show", "ids": 5}', '{"action": "show", "ids": {"a": 1}}', '{"action": "resume", "ids": "sensor-1"}',
    '{"action": "show", "ids": [null, 5, "sensor-x", "x-1", "sensor-99999999999999999999", "site-1", "alarm-1"]}',
    '{"action": "show", "query": 5}', '{"action": "show", "query": "page=\\u0000&sort=\\ud800&search=\\u0000"}',
    '{"action": {"a": "show"}}', "[" * 15_000, "x" * 30_000,
]  # fmt: skip


async def test_garbage_from_a_browser_is_ignored_and_the_page_stays_live(viewer: Any) -> None:
    sensor = await db(factories.make_sensor)()
    async with open_page("/ws/sensors/", viewer) as socket:
        await socket.settle()
        for text in GARBAGE:
            await socket.send_to(text_data=text)
        await socket.send_to(bytes_data=b"\xff\xfe")
        await socket.send_to(text_data=json.dumps({"action": "show", "ids": [f"sensor-{sensor.pk}"]}))
        await socket.settle()
        await db(set_value)(sensor, 55.5)
        assert await socket.until('data-value="55.5"')


async def test_a_row_that_no_longer_matches_is_dimmed_and_announced(viewer: Any) -> None:
    connection = await db(factories.make_connection)(status="error")
    async with open_page("/ws/connections/?status=error", viewer) as socket:
        await socket.settle()
        await db(set_status)(connection.pk, "connected")
        frame = await socket.until(f'id="connection-{connection.pk}" data-status="connected"')
        assert 'data-status="connected" class="dimmed"' in frame
        notice = await socket.until('id="notice"')
        assert "1 changed and no longer matches" in notice
        assert "new" not in notice.split("</span>")[0]
        await db(set_status)(connection.pk, "error")
        assert "dimmed" not in await socket.until(f'id="connection-{connection.pk}" data-status="error"')


async def test_what_a_part_has_written_already_is_in_the_viewers_language_too(viewer: Any) -> None:
    sensor = await db(factories.make_sensor)()
    await db(factories.make_reading)(sensor, 0.25)
    async with open_page(f"/ws/sensors/{sensor.pk}/", viewer, language="it") as socket:
        frame = await socket.until('id="readings"')
        assert "0,25" in frame
        assert "0.25<" not in frame


async def test_new_rows_are_announced_and_not_inserted(viewer: Any) -> None:
    sensor = await db(factories.make_sensor)()
    async with open_page("/ws/sensors/", viewer) as socket:
        await socket.settle()
        new = await db(factories.make_sensor)(sensor.datalogger)
        broadcast_event(
            ReadingsStored(connection_id=sensor.connection_id, sensors=[sensor.pk, new.pk], created={"sensors": 1})
        )
        assert "1 new" in await socket.until('id="notice"')


async def test_what_left_the_list_does_not_hide_what_came(viewer: Any) -> None:
    leaves, comes = [await db(factories.make_connection)(status=status) for status in ("error", "connected")]
    async with open_page("/ws/connections/?status=error", viewer) as socket:
        await socket.settle()
        await db(set_status)(leaves.pk, "connected")
        assert "1 changed and no longer matches</span>" in await socket.until('id="notice"')
        await db(set_status)(comes.pk, "error")
        assert "1 new" in await socket.until('id="notice"')


async def test_a_page_keeps_the_rows_that_the_browser_shows(viewer: Any) -> None:
    sensors = [await db(factories.make_sensor)() for _ in range(2)]
    async with open_page(f"/ws/sensors/?datalogger={sensors[0].datalogger_id}", viewer) as socket:
        await socket.settle()
        await socket.send_to(
            text_data=json.dumps({"action": "show", "ids": [f"sensor-{sensor.pk}" for sensor in sensors]})
        )
        frame = await socket.until(f'id="sensor-{sensors[1].pk}"')
        assert "dimmed" in frame, "it is shown, but the filter does not let it through"
        assert "1 changed and no longer matches</span>" in await socket.until('id="notice"'), "it left, nothing came"


async def test_a_show_with_another_query_brings_its_rows(viewer: Any) -> None:
    sensors = [await db(factories.make_sensor)() for _ in range(2)]
    async with open_page(f"/ws/sensors/?datalogger={sensors[0].datalogger_id}", viewer) as socket:
        await socket.settle()
        query = f"datalogger={sensors[1].datalogger_id}"
        await socket.send_to(text_data=json.dumps({"action": "show", "query": query}))
        assert "dimmed" not in await socket.until(f'id="sensor-{sensors[1].pk}"')


async def test_an_open_page_keeps_the_keys_of_its_rows_and_nothing_else_of_them(viewer: Any) -> None:
    shown, other = [await db(factories.make_sensor)() for _ in range(2)]
    async with open_page(f"/ws/sensors/?datalogger={shown.datalogger_id}", viewer) as socket:
        await socket.settle()
        (page,) = current_hub().consumers
        query = f"datalogger={other.datalogger_id}"
        for sensor, ask in ((shown, query), (other, None)):
            assert page.viewer.shown.rows == {"sensor": {sensor.pk: sensor.connection_id}}
            assert page.viewer.shown.records == []
            assert not {"table", "filterset"} & page.viewer.shown.extra.keys()
            if ask:
                await socket.send_to(text_data=json.dumps({"action": "show", "query": ask}))
                await socket.until(f'id="sensor-{other.pk}"')


async def test_a_dead_mqtt_process_shows_as_unknown_without_any_event(viewer: Any) -> None:
    connection = await db(factories.make_connection)()
    sensor = await db(lambda: factories.make_sensor(factories.make_datalogger(connection)))()
    async with open_page("/ws/connections/", viewer) as list_socket, open_page("/ws/sensors/", viewer) as sensor_socket:
        await list_socket.settle()
        await sensor_socket.settle()
        await db(factories.make_lease)(connection, seconds=-1)
        assert await list_socket.until(f'<tr id="connection-{connection.pk}" data-status="unknown"')
        assert await sensor_socket.until(f'<tr id="sensor-{sensor.pk}" data-status="unknown"')


async def test_logout_closes_the_socket(viewer: Any) -> None:
    async with open_page("/ws/connections/", viewer) as socket:
        await socket.settle()
        await db(Session.objects.all().delete)()
        async with asyncio.timeout(PATIENCE):
            while True:
                message = await socket.receive_output(PATIENCE)
                if message["type"] == "websocket.close":
                    assert message["code"] == 4401
                    break


async def test_a_lost_role_closes_the_socket(viewer: Any) -> None:
    async with open_page("/ws/connections/", viewer) as socket:
        await socket.settle()
        await db(viewer.groups.clear)()
        async with asyncio.timeout(PATIENCE):
            while (await socket.receive_output(PATIENCE))["type"] != "websocket.close":
                pass


async def test_each_reader_gets_their_own_language(viewer: Any) -> None:
    await db(factories.make_connection)(status="disabled", is_enabled=False)
    async with open_page("/ws/connections/", viewer, language="it") as italian:
        assert '<tr id="connection-' in await italian.read()


async def test_one_broken_row_template_does_not_close_the_sockets(viewer: Any, monkeypatch: Any) -> None:
    sensor = await db(factories.make_sensor)()
    async with open_page("/ws/sensors/", viewer) as socket:
        await socket.settle()
        tried = threading.Event()

        def fail(*_: object) -> str:
            tried.set()
            raise ZeroDivisionError

        with monkeypatch.context() as patch:
            patch.setattr("mqtt.live.render.render_row", fail)
            await db(set_value)(sensor, 1.5)
            assert await asyncio.to_thread(tried.wait, PATIENCE)
        await db(set_value)(sensor, 2.5)
        assert await socket.until('data-value="2.5"')


async def test_a_deleted_row_leaves_the_page(viewer: Any) -> None:
    sensor = await db(factories.make_sensor)()
    async with open_page("/ws/sensors/", viewer) as socket:
        await socket.settle()
        pk = sensor.pk
        await db(sensor.delete)()
        broadcast_event(AvailabilityChanged(connection_id=sensor.connection_id, sensors=[pk]))
        assert f'id="sensor-{pk}"' in await socket.until('hx-swap-oob="delete"')
