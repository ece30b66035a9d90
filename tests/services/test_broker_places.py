import json
from pathlib import Path

import pytest

from mqtt.models import MqttConnection, TopicSubscription
from mqtt.services.broker_places import BrokerPlaces, write_places
from mqtt.services.connections import Secrets, create_connection, disable_connection, enable_connection
from tests.services.mqtt_processes import ACTOR

pytestmark = [pytest.mark.database, pytest.mark.django_db]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "places.json"


@pytest.fixture(autouse=True)
def _address(settings: object) -> None:
    settings.EMBEDDED_BROKER_HOST, settings.EMBEDDED_BROKER_PORT = "0.0.0.0", 1883  # type: ignore[attr-defined]


def add(name: str, *filters: TopicSubscription, **fields: object) -> MqttConnection:
    values = {"name": name, "client_id": name, "host": "localhost", "port": 1883, **fields}
    return create_connection(ACTOR, MqttConnection(**values), filters, Secrets(password="word"))


def test_places_are_for_enabled_connections_to_the_embedded_broker_and_their_active_filters(path: Path) -> None:
    on, off = TopicSubscription(topic_filter="a/#", qos=1), TopicSubscription(topic_filter="b", is_active=False)
    add("ours", on, off)
    for name, fields in {
        "disabled": {"is_enabled": False}, "elsewhere": {"host": "10.0.0.1"}, "port": {"port": 1884},
        "version": {"protocol": "5"}, "transport": {"transport": "ws"},
    }.items():  # fmt: skip
        add(name, TopicSubscription(topic_filter="a/#"), **fields)
    add("deaf", TopicSubscription(topic_filter="b", is_active=False))
    write_places(path)
    assert json.loads(path.read_text()) == [["ours", [["a/#", 1]]]]
    assert "word" not in path.read_text()


def test_a_connection_that_is_switched_off_has_no_place_any_more(path: Path) -> None:
    places, plant = BrokerPlaces(path), add("plant", TopicSubscription(topic_filter="#", qos=1))

    def names() -> list[str]:
        places.follow(MqttConnection.all_objects.all())
        return [one[0] for one in json.loads(path.read_text())]

    assert names() == ["plant"]
    disable_connection(ACTOR, plant)
    assert names() == []
    enable_connection(ACTOR, plant)
    assert names() == ["plant"]


def test_a_place_that_cannot_be_written_is_taken_back(path: Path) -> None:
    places = BrokerPlaces(path)
    add("plant", TopicSubscription(topic_filter="#"))
    places.follow(MqttConnection.all_objects.all())
    add("other", TopicSubscription(topic_filter="#"))
    path.unlink()
    path.parent.rmdir()
    places.follow(MqttConnection.all_objects.all())
    assert not path.exists()
