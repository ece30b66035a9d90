"""What the mqtt processes say of themselves through Valkey, from real processes with real load."""

import time
from typing import Any

import orjson
import pytest
import redis
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from mqtt.services import pressure
from mqtt.services.pressure import INDEX, ConnectionPressure, ProcessPressure, Publisher, parse, read_all
from tests import servers
from tests.servers import wait_for
from tests.services.mqtt_processes import Publisher as Load
from tests.services.mqtt_processes import Start, create, wait_granted
from tests.services.outages import database_away

pytestmark = [pytest.mark.usefixtures("valkey")]


@pytest.fixture(autouse=True)
def _nothing_kept(settings: Any) -> None:
    pressure._kept = (0.0, "", None)
    with redis.Redis.from_url(settings.CHANNEL_URL) as client:
        client.delete(INDEX)


def say(name: str, **values: Any) -> None:
    publisher = Publisher(name)
    publisher.publish(ProcessPressure(name=name, at=time.time(), **values))
    publisher.close()
    pressure._kept = (0.0, "", None)


def test_without_a_process_nothing_is_said() -> None:
    assert read_all() == []


def test_what_every_process_says_is_read() -> None:
    one = ConnectionPressure(connection_id=7, messages_per_second=2.5, waiting=3, dropped=1)
    say("b", connections=(one,), behind_seconds=3.5)
    say("a", database_away_seconds=12.0)
    processes = read_all()
    assert processes
    assert [process.name for process in processes] == ["a", "b"]
    assert processes[1].connections == (one,)
    assert processes[1].is_behind
    assert pressure.of_connection(processes, 7) == one
    assert pressure.of_connection(processes, 8) is None


def test_a_process_that_left_or_is_forgotten_is_not_read(settings: Any) -> None:
    say("stays")
    publisher = Publisher("leaves")
    publisher.publish(ProcessPressure(name="leaves", at=time.time()))
    publisher.leave()
    publisher.close()
    with redis.Redis.from_url(settings.CHANNEL_URL) as client:
        assert 0 < int(client.ttl(f"{INDEX}:stays")) <= pressure.EXPIRES
        say("dies")
        client.delete(f"{INDEX}:dies")  # what time does
    processes = read_all()
    assert processes
    assert [process.name for process in processes] == ["stays"]


def test_without_valkey_it_is_unknown_at_once(settings: Any) -> None:
    settings.CHANNEL_URL = "unix:///nowhere/valkey.sock"
    assert read_all() is None


def test_one_answer_serves_a_second() -> None:
    assert read_all() == []
    publisher = Publisher("late")
    publisher.publish(ProcessPressure(name="late", at=time.time()))
    publisher.close()
    assert read_all() == []


@hypothesis_settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.binary() | st.recursive(st.none() | st.floats(), lambda inner: st.dictionaries(st.text(), inner)).map(repr))
def test_whatever_stands_in_valkey_is_read_or_left_aside(text: Any) -> None:
    parse(text if isinstance(text, bytes) else text.encode())


def test_a_newer_process_may_say_more() -> None:
    said = {"name": "new", "at": 1.0, "colour": "red", "connections": [{"connection_id": 1, "smell": 2}]}
    found = parse(orjson.dumps(said))
    assert found == ProcessPressure(name="new", at=1.0, connections=(ConnectionPressure(connection_id=1),))


@pytest.mark.django_db(transaction=True)
@pytest.mark.database
@pytest.mark.mosquitto
def test_the_heartbeat_goes_on_while_the_database_is_away(start: Start, own_broker: servers.Server) -> None:
    plant = create(own_broker)
    start("one")
    wait_granted(plant)

    def said() -> ProcessPressure | None:
        processes = read_all()
        return processes[0] if processes else None

    def flows() -> bool:
        one = pressure.of_connection(read_all(), plant.pk)
        return one is not None and one.messages_per_second > 50 and one.readings_per_second > 50

    with Load(own_broker.port, 100_000, 300) as load:
        wait_for(flows, what="the rates")
        process = said()
        assert process
        assert process.name.startswith("one ")
        assert process.database_away_seconds == 0
        with database_away():
            wait_for(lambda: (one := said()) and one.is_behind, what="storing being behind")
            wait_for(lambda: (one := said()) and one.database_away_seconds > 1, what="the database being away")
            waits = pressure.of_connection(read_all(), plant.pk)
            assert waits
            assert waits.waiting > 0
        wait_for(lambda: (one := said()) and not one.is_behind, what="storing having caught up")
        wait_for(lambda: (one := said()) and one.database_away_seconds == 0, what="the database")
        load.end()
