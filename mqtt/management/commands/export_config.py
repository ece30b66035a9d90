"""`manage.py export_config`: what people set up, as YAML."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from mqtt.services.configuration.transfer import export_text
from mqtt.supervisor.state import write_whole


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
            whole = path.expanduser().resolve()
            if whole.exists() and not whole.is_file():  # /dev/stdout, a pipe
                whole.write_text(text)
            else:
                write_whole(whole, text)
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror}.") from error
