"""`manage.py import_readings FILE`: history back in."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError, CommandParser

from mqtt.management.progress import Progress
from mqtt.services.jobs import rollups
from mqtt.services.transfer.reading_files import LineError, lines
from mqtt.services.transfer.reading_import import MOST_REFUSALS, import_readings


class Command(BaseCommand):
    help = (
        "Stores readings from CSV (the first line names the columns; commas, semicolons or tabs) or JSON lines. "
        "Columns: sensor (its number here; another console has other numbers) or connection and key; "
        "time (ISO 8601; without zone in TIME_ZONE), "
        "or time_utc, which counts where both stand; value or text; and if known received_at, own_time, uncertain. "
        "Others are ignored, so that an export can be read back. "
        "What is stored already stays once; latest values are left as the devices said them. "
        "Exit code: 0 all is in, 1 lines were left out and the first of them are named, or the file cannot be read."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="the file, - for the standard input")
        parser.add_argument("--dry-run", action="store_true", help="only say what would be stored")

    def handle(self, *_: Any, **options: Any) -> None:
        progress = Progress()
        try:
            with _opened(options["file"]) as stream:
                outcome = import_readings(
                    lines(stream), dry_run=options["dry_run"], tell=lambda done: progress("reading lines", done, 0)
                )
            if not options["dry_run"]:  # killed before its end, the mqtt process goes on with it
                rollups.roll_up_due(lambda done: progress("summing up hours for charts", done, 0))
        except LineError as error:
            raise CommandError(f"{options['file']}: {error}") from error
        finally:
            progress.close()
        would = "would be " if options["dry_run"] else ""
        self.stdout.write(f"{outcome.new:,} {would}stored, {outcome.known:,} were there already.")
        if outcome.refused:
            for one in sorted(outcome.refusals, key=lambda refusal: refusal.number):
                self.stderr.write(f"line {one.number}: {one.why}")
            if outcome.refused > MOST_REFUSALS:
                self.stderr.write(f"and {outcome.refused - MOST_REFUSALS:,} more")
            raise CommandError(f"{outcome.refused:,} line{'s' if outcome.refused > 1 else ''} {would}left out.")


@contextmanager
def _opened(path: str) -> Iterator[TextIO]:
    if path == "-":
        yield sys.stdin
        return
    try:
        stream = Path(path).expanduser().open(encoding="utf-8", newline="")
    except FileNotFoundError as error:
        raise CommandError(f"There is no file {path}.") from error
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
    with stream:
        yield stream
