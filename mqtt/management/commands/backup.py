"""`manage.py backup`: everything into one archive, while the console runs."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from mqtt.exceptions import BackupError
from mqtt.management import passphrase
from mqtt.management.progress import Progress
from mqtt.services.backup.making import make_backup


class Command(BaseCommand):
    help = (
        "Writes database, configuration and keys into one archive, consistent also while the console runs. "
        "With a passphrase the keys are in it too; without, keep DATA_DIR/credentials_key yourself: the stored "
        "passwords of brokers cannot be read without it. Put it back with manage.py restore FILE. "
        "Exit code 1: no backup was made, and the line says why."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        default = settings.BACKUP_FOLDER or settings.DATA_DIR / "backups"
        parser.add_argument(
            "--to", metavar="FOLDER", default=str(default), help=f"where it is put (default: {default})"
        )
        parser.add_argument(
            "--keep",
            type=int,
            default=0,
            metavar="N",
            help="afterwards delete all but the newest N in that folder (default: delete none)",
        )
        passphrase.add_argument(parser)

    def handle(self, *_: Any, **options: Any) -> None:
        if options["keep"] < 0:
            raise CommandError("--keep must be 0 or more.")
        secret, progress = passphrase.read(options["passphrase_file"]), Progress()
        try:
            path = make_backup(Path(options["to"]).expanduser(), passphrase=secret, keep=options["keep"], tell=progress)
        except BackupError as error:
            raise CommandError(str(error)) from error
        finally:
            progress.close()
        self.stdout.write(f"{path} ({path.stat().st_size / 1e6:,.1f} MB)")
        if not secret:
            self.stdout.write(
                "The keys are not in it, for want of a passphrase: "
                f"keep {settings.DATA_DIR / 'credentials_key'} in another place."
            )
