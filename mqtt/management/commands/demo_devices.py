"""`manage.py demo_devices`: simulated devices on any broker."""

import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from app import env
from mqtt.demo.fleet import fleet
from mqtt.demo.link import Broker
from mqtt.demo.seed import seed_demo
from mqtt.demo.simulation import run

FASTEST = 1000
LAST_PORT = 65535


class Command(BaseCommand):
    requires_system_checks = ()  # `up` starts it often, and the checks would load every page
    help = "Publishes what two sites with three gateways and their sensors would, until it is stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default=settings.EMBEDDED_BROKER_HOST)
        parser.add_argument("--port", type=int, default=settings.EMBEDDED_BROKER_PORT)
        parser.add_argument("--username", default=env.text("DEMO_USERNAME"))
        parser.add_argument(
            "--password", default="", help="better in the variable DEMO_PASSWORD, which other users cannot read"
        )
        parser.add_argument("--tls", action="store_true", help="encrypt the links")
        parser.add_argument("--ca-file", default="", help="PEM file of the authority to trust instead of the system's")
        parser.add_argument("--speed", type=float, default=1.0, help="2 publishes twice as often")
        parser.add_argument("--seed", action="store_true", help="first make the demo's sites in the database")

    def handle(self, *_: Any, **options: Any) -> None:
        if not 0 < options["speed"] <= FASTEST:
            raise CommandError(f"--speed must be above 0, and at most {FASTEST}.")
        if not 1 <= options["port"] <= LAST_PORT:
            raise CommandError(f"--port must be between 1 and {LAST_PORT}.")
        if options["seed"]:
            seed_demo()
        stopping = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopping.set())
        broker = Broker(
            options["host"],
            options["port"],
            options["username"],
            options["password"] or env.text("DEMO_PASSWORD"),
            options["tls"],
            options["ca_file"],
        )
        clients = fleet()
        self.stdout.write(f"{len(clients)} demo devices publish to {broker.host}:{broker.port}. Ctrl-C ends them.")
        run(clients, broker, stopping, options["speed"])
