"""`manage.py check_health [--json]`."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from mqtt.services.health import check_health


class Command(BaseCommand):
    """Exit code 0 healthy, 1 degraded, 2 down."""

    help = (
        "Says whether the database, the channel layer and the mqtt process do their work. "
        "Exit code: 0 healthy, 1 degraded, 2 down."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One option."""
        parser.add_argument("--json", action="store_true", help="machine-readable answer")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print each part's state and exit with the worst."""
        health = check_health()
        if options["json"]:
            checks = [
                {"name": one.name, "state": one.state.name.lower(), "detail": one.detail} for one in health.checks
            ]
            self.stdout.write(json.dumps({"state": health.state.name.lower(), "checks": checks}))
        else:
            for one in health.checks:
                self.stdout.write(f"{one.state.name.lower():9}{one.name}: {one.detail}")
        sys.exit(int(health.state))
