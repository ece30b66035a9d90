"""`manage.py resubscribe [CONNECTION ...]`: running sessions subscribe again."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from mqtt import reasons
from mqtt.exceptions import ServiceError
from mqtt.models import MqttConnection
from mqtt.services.audit import Actor
from mqtt.services.connections import resubscribe_connection


class Command(BaseCommand):
    """Asks the mqtt processes; they act within a second."""

    help = "Make running services subscribe again: all enabled connections, or those named."

    def add_arguments(self, parser: CommandParser) -> None:
        """Connections by name or number."""
        parser.add_argument("connections", nargs="*", metavar="CONNECTION", help="name or number")

    def handle(self, **options: Any) -> None:
        """Ask for each; the first that cannot be asked stops the command with a sentence."""
        chosen = [_find(word) for word in options["connections"]] or MqttConnection.objects.filter(is_enabled=True)
        actor = Actor(user=None, name="resubscribe", via="command")
        for connection in chosen:
            try:
                resubscribe_connection(actor, connection)
            except ServiceError as error:
                raise CommandError(reasons.explain(error.code, error.context)) from error
            self.stdout.write(f"{connection.name}: asked to subscribe again")


def _find(word: str) -> MqttConnection:
    found = MqttConnection.objects.filter(name=word).first()
    if found is None and word.isdecimal():
        found = MqttConnection.objects.filter(pk=int(word)).first()
    if found is None:
        raise CommandError(f"There is no connection {word!r}.")
    return found
