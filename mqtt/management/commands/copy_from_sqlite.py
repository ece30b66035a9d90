"""`manage.py copy_from_sqlite [FILE]`: the move from SQLite to PostgreSQL."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from mqtt.exceptions import BackupError
from mqtt.management.progress import Progress
from mqtt.services.backup.restoring import refuse_while_in_use
from mqtt.services.transfer.moving import copy_from_sqlite
from mqtt.supervisor.guards import FolderInUseError, take_folder


class Command(BaseCommand):
    help = (
        "Copies everything from a SQLite file into the PostgreSQL that DATABASE_URL names: accounts, connections, "
        "devices, history, audit. First make an empty database there, stop the console, and set DATABASE_URL; "
        "afterwards start it. The SQLite file is only read, and stays as it is; the keys in DATA_DIR go on to serve. "
        "Exit code 1: the line says why, and PostgreSQL holds what it held before."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        default = settings.DATA_DIR / "vedetta.sqlite3"
        parser.add_argument("file", nargs="?", type=Path, default=default, help=f"default: {default}")
        parser.add_argument("--replace", action="store_true", help="also when PostgreSQL holds data already")

    def handle(self, *_: Any, **options: Any) -> None:
        if connection.vendor != "postgresql":
            raise CommandError("Set DATABASE_URL=postgresql://user:password@host:5432/name first: it is copied there.")
        progress = Progress()
        try:
            with take_folder(settings.DATA_DIR):
                call_command("migrate", interactive=False, verbosity=0)
                refuse_while_in_use(replace=options["replace"])
                copied = copy_from_sqlite(options["file"].expanduser(), progress)
        except FolderInUseError as error:
            raise CommandError(f"The console is running (process {error}): stop it first.") from error
        except BackupError as error:
            raise CommandError(str(error)) from error
        finally:
            progress.close()
        for name, count in sorted(copied.items()):
            if count:
                self.stdout.write(f"{count:>12,}  {name}")
        self.stdout.write("Everything is copied. Keep the SQLite file until you have seen that all is there.")
