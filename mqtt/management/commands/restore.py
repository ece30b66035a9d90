"""`manage.py restore FILE`: a backup back in its place."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.dateparse import parse_datetime

from mqtt.exceptions import BackupError
from mqtt.management import passphrase
from mqtt.management.progress import Progress
from mqtt.services.backup.archive import Manifest
from mqtt.services.backup.restoring import Restored, look, refuse_while_in_use, restore
from mqtt.supervisor.guards import FolderInUseError, take_folder


class Command(BaseCommand):
    help = (
        "Puts a backup of manage.py backup in the place of this database. Stop the console first. The archive is read "
        "to its end before anything is touched; a SQLite database that stood there is moved to DATA_DIR/backups. "
        "The copy takes new MQTT client ids, so that it and the original do not throw each other out at their "
        "brokers; with --same it keeps them, which is right when the original is gone for good. "
        "Exit code 1: nothing was changed, and the line says why."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="the archive")
        parser.add_argument("--replace", action="store_true", help="also when this database holds data")
        parser.add_argument("--same", action="store_true", help="the original is gone: keep client ids and sessions")
        parser.add_argument(
            "--without-keys", action="store_true", help="go on without the keys: stored passwords are typed in again"
        )
        parser.add_argument("--dry-run", action="store_true", help="only check the archive and say what it is")
        passphrase.add_argument(parser)

    def handle(self, *_: Any, **options: Any) -> None:
        path: Path = options["file"].expanduser()
        secret = None if options["without_keys"] else passphrase.read(options["passphrase_file"])
        progress = Progress()
        try:
            manifest, opened = look(path, secret, progress)
            progress.close()
            self._say_what_it_is(manifest, has_keys=bool(opened))
            if options["dry_run"]:
                return
            with take_folder(settings.DATA_DIR):
                refuse_while_in_use(replace=options["replace"])
                done = restore(path, manifest, opened, is_same=options["same"], tell=progress)
        except FolderInUseError as error:
            message = f"The console is running in {settings.DATA_DIR} (process {error}): stop it first."
            raise CommandError(message) from error
        except BackupError as error:
            raise CommandError(str(error)) from error
        finally:
            progress.close()
        self._say_what_was_done(done, is_same=options["same"])

    def _say_what_it_is(self, manifest: Manifest, *, has_keys: bool) -> None:
        at = parse_datetime(manifest.created_at)
        when = f"{at:%Y-%m-%d %H:%M} UTC" if at else manifest.created_at
        keys = "with its keys" if has_keys else "its keys stay locked" if manifest.keys else "without keys"
        self.stdout.write(f"A complete backup of {when}, Vedetta {manifest.version}, {manifest.vendor}, {keys}.")

    def _say_what_was_done(self, done: Restored, *, is_same: bool) -> None:
        ids = "with their client ids" if is_same else "with new client ids"
        self.stdout.write(f"Restored: {done.connections} connections, {ids}. Everybody has to log in again.")
        if done.kept:
            self.stdout.write(f"The database that stood here before: {done.kept}")
        if done.unreadable:
            self.stdout.write(
                "The stored password or key cannot be read without the key that encrypted it; type it in again for: "
                + ", ".join(done.unreadable)
            )
