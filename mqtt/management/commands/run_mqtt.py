"""`manage.py run_mqtt`: one mqtt process."""

import gc
import os
import signal
import threading
from typing import Any

from channels.layers import get_channel_layer
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from mqtt.services.connection_tester import ConnectionTester
from mqtt.services.jobs import periodic
from mqtt.services.mqtt_service import MqttService
from mqtt.services.pipeline.message_processor import MessageProcessor

LONGEST_GOODBYE = 3.8
"""Seconds after which the process ends whatever it waits for; the supervisor kills after five."""


LONGEST_WORKER_NAME = 60
"""A number of its own follows it where it is stored."""


class Command(BaseCommand):
    """Thin: build the service, let signals stop it, run it."""

    requires_system_checks = ()  # `up` starts it often, and the checks would load every page
    help = "Hold broker sessions, store readings, announce changes. Any number of these processes may run."

    def add_arguments(self, parser: CommandParser) -> None:
        """The name is for people: it shows who holds a connection."""
        parser.add_argument("--worker-name", default="", help="shown as the holder of a connection")

    def handle(self, **options: Any) -> None:
        """Run until SIGTERM or SIGINT."""
        if len(options["worker_name"]) > LONGEST_WORKER_NAME or not options["worker_name"].isprintable():
            raise CommandError(f"--worker-name is a word for people, of at most {LONGEST_WORKER_NAME} characters.")
        get_channel_layer()  # while there is one thread: see app.plain_serializers
        tester = ConnectionTester()
        service = MqttService(
            MessageProcessor(),
            worker_name=options["worker_name"],
            ready_file=settings.RUN_DIR / "mqtt.ready",
            holder_file=settings.RUN_DIR / "mqtt.holder",
            places_file=settings.PLACES_FILE if settings.EMBEDDED_BROKER else None,
            jobs=periodic.run_due,
            run_tests=tester.start_queued,
        )

        def stop(*_: object) -> None:
            service.stop()
            # A database that hangs must not hold us: what is not acknowledged comes again.
            watchdog = threading.Timer(LONGEST_GOODBYE, os._exit, [0])
            watchdog.daemon = True
            watchdog.start()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        _collect_rarely()
        service.run()
        tester.stop()


def _collect_rarely() -> None:
    """Look for reference cycles less often: a batch makes thousands of objects and no cycles (a fifth of the time)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)
