"""The passphrase that locks the keys in a backup: from a file, the standard input or the setting, never an argument."""

import sys
from argparse import ArgumentParser
from pathlib import Path

from django.conf import settings
from django.core.management.base import CommandError


def add_argument(parser: ArgumentParser) -> None:
    """`--passphrase-file`."""
    parser.add_argument(
        "--passphrase-file",
        metavar="FILE",
        help="a file whose first line is the passphrase, - for the standard input (default: BACKUP_PASSPHRASE)",
    )


def read(path: str | None) -> str:
    """The passphrase; empty when there is none. Raises CommandError."""
    if not path:
        return str(settings.BACKUP_PASSPHRASE)
    try:
        line = sys.stdin.readline() if path == "-" else Path(path).read_text().partition("\n")[0]
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"The passphrase cannot be read from {path}: {error}.") from error
    if not line.strip():
        raise CommandError(f"The first line of {path} is empty: there the passphrase should stand.")
    return line.strip()
