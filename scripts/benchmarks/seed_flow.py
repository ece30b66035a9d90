"""The seed's flow taken literally: for every message look up, save, save, render, and a group_send of its own."""

import json
from datetime import datetime
from pathlib import Path

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.template import Context, Engine
from django.utils import timezone
from paho.mqtt.client import MQTTMessage

from mqtt.models import Datalogger, MqttConnection, Reading, SensorDevice, SensorState

ROW = Path(__file__).with_name("seed_row.html")


class SeedFlow:
    """Handles one message after the other in the client's callback."""

    def __init__(self) -> None:
        self.connection = MqttConnection.objects.get()
        self.row = Engine().from_string(ROW.read_text())
        layer = get_channel_layer()
        assert layer is not None
        self.layer = layer

    def handle(self, message: MQTTMessage) -> None:
        """Store and announce one message."""
        document = json.loads(message.payload)
        received = timezone.now()
        moment = datetime.fromisoformat(document["time"]) if "time" in document else received
        key, _, name = message.topic.rpartition("/")
        datalogger, _ = Datalogger.objects.get_or_create(
            connection=self.connection, key=key, defaults={"identifier": key.rpartition("/")[2]}
        )
        sensor, _ = SensorDevice.objects.get_or_create(
            connection=self.connection,
            key=f"{key}#{name}",
            defaults={"datalogger": datalogger, "name": name, "unit": document["unit"]},
        )
        value = document["value"]
        SensorState(sensor=sensor, value=value, time=moment, last_seen_at=received).save()
        Reading(sensor=sensor, time=moment, digest=int(value * 100), received_at=received, value=value).save()
        html = self.row.render(Context({"sensor": sensor, "value": value, "moment": moment}))
        async_to_sync(self.layer.group_send)("seed", {"type": "seed.row", "html": html})
