"""`manage.py export_config`: what people set up, as YAML."""

import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from mqtt.services.configuration.transfer import export_text


class Command(BaseCommand):
    help = (
        "Writes sites, connections with their subscriptions, mappings and what people wrote of devices as YAML, to the "
        "standard output or a file. Readings, accounts and tokens are not in it: for those there is manage.py backup. "
        "Passwords and keys are left out unless --with-secrets is given; then they stand there readably."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--with-secrets", action="store_true", help="also passwords and keys of connections")
        parser.add_argument("--output", metavar="FILE", type=Path, help="a file, readable by its owner only")

    def handle(self, *_: Any, **options: Any) -> None:
        text = export_text(secrets=options["with_secrets"])
        path: Path | None = options["output"]
        if path is None:
            self.stdout.write(text, ending="")
            return
        try:
            with os.fdopen(os.open(path.expanduser(), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
                stream.write(text)
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror}.") from error
