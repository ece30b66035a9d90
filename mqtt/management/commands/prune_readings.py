"""`manage.py prune_readings`: deletes old readings."""

import re
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from mqtt.exceptions import ServiceError
from mqtt.services import clock, retention

UNITS = {"h": "hours", "d": "days", "w": "weeks"}


def duration(text: str) -> timedelta:
    """`90d`, `12h` or `4w`. Raises ValueError."""
    match = re.fullmatch(r"(\d{1,5})([hdw])", text.strip())
    if not match or not int(match[1]):
        raise ValueError(text)
    return timedelta(**{UNITS[match[2]]: int(match[1])})


class Command(BaseCommand):
    help = "Deletes readings older than a given age, in steps that let the console go on working."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--older-than", default="90d", help="for example 90d, 12h or 4w (default: 90d)")
        parser.add_argument("--dry-run", action="store_true", help="only say how many there are")
        parser.add_argument("--despite-clock", action="store_true", help="also while this computer's clock looks wrong")

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            moment = timezone.now() - duration(options["older_than"])
        except (ValueError, OverflowError):
            message = f"--older-than is written like 90d, 12h or 4w, not {options['older_than']!r}."
            raise CommandError(message) from None
        if options["dry_run"]:
            self.stdout.write(f"{retention.count_before(moment)} readings are older than {moment:%Y-%m-%d %H:%M} UTC.")
        else:
            try:
                count = retention.prune(moment, despite_clock=options["despite_clock"])
            except ServiceError:
                raise CommandError(_why()) from None
            self.stdout.write(f"{count} readings older than {moment:%Y-%m-%d %H:%M} UTC were deleted.")


def _why() -> str:
    found = clock.doubt()
    return (
        f"This computer's clock shows {timezone.now():%Y-%m-%d %H:%M} UTC and looks wrong. "
        f"{clock.explain(found) if found else ''} Nothing was deleted: set the clock right, or say on the page Health "
        "that it is, or give --despite-clock."
    )
