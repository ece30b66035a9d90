"""`manage.py up`: the one-machine supervisor behind scripts/run."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from mqtt.supervisor.console import Console


class Command(BaseCommand):
    help = "Starts broker, Valkey, mqtt and web, starts again what dies, and stops all of it on Ctrl-C."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        # Both change settings and are therefore read in manage.py, before the settings are.
        parser.add_argument("--demo", action="store_true", help="simulated devices, in a data folder of their own")
        parser.add_argument("--lan", action="store_true", help="listen to the whole network; devices need a login")

    def handle(self, *_: Any, **__: Any) -> None:
        Console().run()
