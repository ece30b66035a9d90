import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command

from tests.mqtt_process import ROOT

LOADED = """
import sys
sys.argv = ["manage.py", "run_mqtt"]
import django
django.setup()
import mqtt.management.commands.run_mqtt
from channels.layers import get_channel_layer
get_channel_layer()
print(*sys.modules, sep="\\n")
"""
HEAVY = {
    "cbor2",
    "cryptography.hazmat",
    "django.contrib.admin",
    "django_tables2",
    "drf_spectacular",
    "google.protobuf",
    "rest_framework",
    "tarfile",
    "yaml",
}
"""Megabytes each, for pages, for the commands of an administrator, or for what few devices say."""


def test_an_mqtt_process_starts_without_what_it_may_never_need() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED], cwd=ROOT, check=True, capture_output=True, text=True)
    loaded = set(done.stdout.split())
    assert {"paho.mqtt.client", "mqtt.services.mqtt_service", "channels_redis.serializers"} <= loaded
    assert not HEAVY & loaded


@pytest.mark.parametrize("name", ["a" * 61, "a\nb"])
def test_a_name_that_no_column_holds_is_refused_before_anything_starts(name: str) -> None:
    with pytest.raises(CommandError, match="--worker-name"):
        call_command("run_mqtt", "--worker-name", name)
