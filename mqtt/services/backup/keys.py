"""The console's keys inside a backup, locked with a passphrase: without it a stolen backup opens no broker."""

import base64
import json
import os

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from django.conf import settings

from mqtt.exceptions import BackupError

COST = 2**15
"""scrypt's n: a tenth of a second and 32 MiB for each try of a passphrase."""
SALT = 16


def current_keys() -> dict[str, str]:
    """What this console would need again on another machine."""
    return {
        "credentials_key": ",".join(settings.CREDENTIALS_KEYS),
        "broker_password": settings.EMBEDDED_BROKER_PASSWORD,
    }


def lock(keys: dict[str, str], passphrase: str) -> dict[str, str]:
    """The keys as they may stand in an archive."""
    salt = os.urandom(SALT)
    token = _cipher(passphrase, salt).encrypt(json.dumps(keys).encode())
    return {"salt": base64.b64encode(salt).decode(), "token": token.decode()}


def unlock(locked: dict[str, str], passphrase: str) -> dict[str, str]:
    """The keys of an archive. Raises BackupError for another passphrase."""
    try:
        plain = _cipher(passphrase, base64.b64decode(locked["salt"])).decrypt(locked["token"].encode())
    except (InvalidToken, KeyError, ValueError) as error:
        raise BackupError("The passphrase is not the one that this backup was made with.") from error
    keys: dict[str, str] = json.loads(plain)
    return keys


def _cipher(passphrase: str, salt: bytes) -> Fernet:
    key = Scrypt(salt=salt, length=32, n=COST, r=8, p=1).derive(passphrase.encode())
    return Fernet(base64.urlsafe_b64encode(key))
