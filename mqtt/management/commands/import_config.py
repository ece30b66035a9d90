"""`manage.py import_config FILE`: a configuration into this console."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from mqtt.exceptions import ConfigurationError
from mqtt.management.progress import Progress
from mqtt.services.audit import Actor
from mqtt.services.configuration.document import LARGEST
from mqtt.services.configuration.sections import SAME, WAITING
from mqtt.services.configuration.transfer import Outcome, import_text


class Command(BaseCommand):
    help = (
        "Reads a file of manage.py export_config: what is missing is made, what differs is changed, what is not in the "
        "file is left alone; a second time changes nothing. All of it is done or, when one entry cannot be, nothing. "
        "Labels of devices that were not heard yet wait: import again later. "
        "Exit code 1: nothing was changed, and the lines say why."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="the YAML file, - for the standard input")
        parser.add_argument("--dry-run", action="store_true", help="only say what would be done")

    def handle(self, *_: Any, **options: Any) -> None:
        progress = Progress()
        try:
            text = _read(options["file"])
            outcome = import_text(Actor.command("import_config"), text, dry_run=options["dry_run"], tell=progress)
        except ConfigurationError as error:
            raise CommandError(str(error)) from error
        finally:
            progress.close()
        if outcome.errors:
            raise CommandError("\n".join([*outcome.errors, "Nothing was changed."]))
        self._say(outcome, dry_run=options["dry_run"])

    def _say(self, outcome: Outcome, *, dry_run: bool) -> None:
        for section, one in outcome.done:
            if one.what != SAME:
                self.stdout.write(f"{one.what:9} {section}: {one.label}" + (f" ({one.details})" if one.details else ""))
        counts = outcome.counts
        if counts[WAITING]:
            self.stdout.write("What waits is for devices that were not heard yet: import again when they were.")
        summary = ", ".join(f"{count} {what}" for what, count in sorted(counts.items())) or "nothing in the file"
        self.stdout.write(f"{summary}." + (" Nothing was stored: this was a trial." if dry_run else ""))


def _read(path: str) -> str:
    try:
        if path == "-":
            return sys.stdin.read(LARGEST + 1)
        with Path(path).expanduser().open(encoding="utf-8") as stream:
            return stream.read(LARGEST + 1)
    except FileNotFoundError as error:
        raise CommandError(f"There is no file {path}.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} cannot be read: {error}.") from error
