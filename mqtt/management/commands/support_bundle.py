"""`manage.py support_bundle [FILE]`: one archive for whoever helps."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from mqtt.services.support import write_bundle


class Command(BaseCommand):
    help = (
        "Writes versions, health, periodic jobs, migrations, the newest lines of the log and the configuration without "
        "secrets into one archive for whoever helps. Where the processes run apart, their log comes in by the standard "
        "input: docker compose logs | manage.py support_bundle --log-from-stdin. The archive names your connections, "
        "sites and hosts: look into it before you send it."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        default = f"vedetta-support-{datetime.now(UTC):%Y%m%d-%H%M%S}.tar.gz"
        parser.add_argument("file", nargs="?", type=Path, default=Path(default), help="the archive to write, a .tar.gz")
        parser.add_argument("--log-from-stdin", action="store_true", help="put the standard input in as log.txt")

    def handle(self, *_: Any, **options: Any) -> None:
        if not options["file"].name.endswith((".tar.gz", ".tgz")):
            raise CommandError(f"Name it {options['file'].stem}.tar.gz: that is what it becomes, under any name.")
        log = sys.stdin.read() if options["log_from_stdin"] else ""
        try:
            names = write_bundle(options["file"].expanduser(), log)
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be written: {error.strerror or error}.") from error
        self.stdout.write(f"{options['file']}: {', '.join(names)}")
