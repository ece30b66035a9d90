"""`manage.py prune_readings`: deletes history that is older than is kept."""

import re
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from mqtt.exceptions import ServiceError
from mqtt.management.progress import Progress
from mqtt.services import clock
from mqtt.services.jobs import retention

UNITS = {"h": "hours", "d": "days", "w": "weeks"}


def duration(text: str) -> timedelta:
    """`90d`, `12h` or `4w`. Raises ValueError."""
    match = re.fullmatch(r"(\d{1,5})([hdw])", text.strip())
    if not match or not int(match[1]):
        raise ValueError(text)
    return timedelta(**{UNITS[match[2]]: int(match[1])})


class Command(BaseCommand):
    help = (
        "Deletes history that is older than is kept, as the mqtt process does by itself, at once and to the end: of "
        "each sensor as it or its connection says, else readings after 5 years (90 days for more than one a minute) "
        "and hourly rollups after 10. With --older-than: readings of all sensors older than that, whatever is set. It "
        "goes in steps that let the console go on working, and may be stopped at any time. "
        "Exit code: 0 done, 1 refused."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--older-than", help="for example 90d, 12h or 4w, for all readings alike")
        parser.add_argument("--dry-run", action="store_true", help="only say how much it would be")
        parser.add_argument("--despite-clock", action="store_true", help="also while this computer's clock looks wrong")

    def handle(self, *_: Any, **options: Any) -> None:
        if not options["dry_run"] and not options["despite_clock"]:
            try:
                clock.insist()
            except ServiceError:
                raise CommandError(_why()) from None
        if options["older_than"] is not None:
            self._prune_all(options["older_than"], is_trial=options["dry_run"])
            return
        progress = Progress()
        try:
            pruned = retention.RetentionSweep().run(
                timezone.now(),
                dry_run=options["dry_run"],
                tell=lambda done, total: progress("sensors looked at", done, total),
            )
        finally:
            progress.close()
        were = "would be" if options["dry_run"] else "were"
        self.stdout.write(f"{pruned.readings:,} readings and {pruned.rollups:,} rollups {were} deleted.")

    def _prune_all(self, age: str, *, is_trial: bool) -> None:
        try:
            moment = timezone.now() - duration(age)
        except (ValueError, OverflowError):
            raise CommandError(f"--older-than is written like 90d, 12h or 4w, not {age!r}.") from None
        if is_trial:
            self.stdout.write(f"{retention.count_before(moment)} readings are older than {moment:%Y-%m-%d %H:%M} UTC.")
        else:
            count = retention.prune(moment, despite_clock=True)  # asked above
            self.stdout.write(f"{count} readings older than {moment:%Y-%m-%d %H:%M} UTC were deleted.")


def _why() -> str:
    found = clock.doubt()
    return (
        f"This computer's clock shows {timezone.now():%Y-%m-%d %H:%M} UTC and looks wrong. "
        f"{clock.explain(found) if found else ''} Nothing was deleted: set the clock right, or say on the page Health "
        "that it is, or give --despite-clock."
    )
