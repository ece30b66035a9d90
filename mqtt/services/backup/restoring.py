"""Putting a backup back: everything is looked at first, replaced second, and settled as a copy of its own third."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.models.functions import Now
from django.db.utils import DatabaseError

from mqtt.encryption import SecretUnreadableError, decrypt, encrypt
from mqtt.exceptions import BackupError
from mqtt.models import CommittedPackets, ConnectionLease, MqttConnection, MqttWorker, new_client_id
from mqtt.services.backup import keys, postgresql, sqlite
from mqtt.services.backup.archive import Manifest, Tell, check, tell_nobody

SECRETS = ("password_token", "client_key_token")


@dataclass(frozen=True)
class Restored:
    """What became of a restore."""

    connections: int
    unreadable: list[str]
    """Names of connections whose stored password or key cannot be opened."""
    kept: Path | None
    """Where the SQLite file that stood there before was put."""


def look(path: Path, passphrase: str | None, tell: Tell = tell_nobody) -> tuple[Manifest, dict[str, str]]:
    """Read an archive to its end; its manifest and its keys. Raises BackupError when it cannot be put back here.

    `passphrase` None: go on without the keys.
    """
    manifest = check(path, tell)
    if manifest.vendor != connection.vendor:
        raise BackupError(
            f"This backup is of {manifest.vendor}, and DATABASE_URL names {connection.vendor}. Restore it there; "
            "manage.py copy_from_sqlite moves a SQLite database to PostgreSQL."
        )
    unknown = {tuple(one) for one in manifest.migrations} - set(MigrationLoader(None).disk_migrations)
    if unknown:
        raise BackupError(f"This backup is of a newer version ({manifest.version}): update first.")
    if manifest.keys is None or passphrase is None:
        return manifest, {}
    if not passphrase:
        raise BackupError("The keys in this backup are locked: give its passphrase, or go on --without-keys.")
    return manifest, keys.unlock(manifest.keys, passphrase)


def refuse_while_in_use(*, replace: bool) -> None:
    """Raise BackupError while an mqtt process runs, or when data would be lost that nobody said may be."""
    try:
        if MqttWorker.objects.filter(expires_at__gt=Now()).exists():
            raise BackupError("An mqtt process is running on this database: stop the console first.")
        has_data = MqttConnection.objects.exists()
    except DatabaseError:
        return  # no tables, or older ones: nothing of ours runs on them
    if has_data and not replace:
        raise BackupError("This database holds data already: add --replace to put this in its place.")


def restore(
    path: Path, manifest: Manifest, opened: dict[str, str], *, is_same: bool = False, tell: Tell = tell_nobody
) -> Restored:
    """Put the archive's data in place of what is there. `is_same`: it goes on as the console that it was made of."""
    kept: Path | None = None
    try:
        if manifest.vendor == "postgresql":
            postgresql.load(path, manifest, tell)
        else:
            kept = sqlite.load(path, tell)
        tell("updating the tables", 0, 0)
        call_command("migrate", interactive=False, verbosity=0)
        return settle(opened, is_same=is_same, kept=kept)
    except (DatabaseError, LookupError) as error:
        before = f" The database that stood here before is {kept}." if kept else ""
        reason = " ".join(str(error).split())[:300]
        raise BackupError(f"What is in {path} does not fit our tables: {reason}.{before}") from error


@transaction.atomic
def settle(opened: dict[str, str], *, is_same: bool, kept: Path | None = None) -> Restored:
    """Make a copy stand on its own: nobody is logged in, no process holds anything, secrets are under today's key.

    A copy that is not the same console takes new client ids, or it would throw the other one out at its brokers,
    and forgets the sessions there, which are not its own to end.
    """
    Session.objects.all().delete()
    MqttWorker.objects.all().delete()
    if is_same:
        ConnectionLease.objects.update(holder="", expires_at=Now())
    else:
        ConnectionLease.objects.all().delete()
        CommittedPackets.objects.all().delete()
    unreadable = []
    for row in MqttConnection.all_objects.all():
        changed = [] if is_same else ["client_id"]
        if not is_same:
            row.client_id = new_client_id()
        for name in SECRETS:
            try:
                fresh = _under_todays_key(getattr(row, name), opened.get("credentials_key", ""))
            except SecretUnreadableError:
                unreadable.append(row.name)
                continue
            setattr(row, name, fresh)
            changed.append(name)
        row.save(update_fields=changed)
    _keep_broker_password(opened.get("broker_password", ""))
    return Restored(MqttConnection.objects.count(), sorted(set(unreadable)), kept)


def _under_todays_key(token: str, old_keys: str) -> str:
    """The same secret, encrypted as this console encrypts. Raises SecretUnreadableError."""
    if not token:
        return ""
    try:
        return encrypt(decrypt(token))
    except SecretUnreadableError:
        return encrypt(_opened(token, [key.strip() for key in old_keys.split(",") if key.strip()]))


def _opened(token: str, old_keys: Iterable[str]) -> str:
    ciphers = [Fernet(key) for key in old_keys]
    if not ciphers:
        raise SecretUnreadableError
    try:
        return MultiFernet(ciphers).decrypt(token.encode()).decode()
    except InvalidToken as error:
        raise SecretUnreadableError from error


def _keep_broker_password(password: str) -> None:
    """Devices in the field know it: the embedded broker asks for the same one again, unless a setting names another."""
    path = settings.DATA_DIR / "broker_password"
    if password and path.exists() and path.read_text().strip() == settings.EMBEDDED_BROKER_PASSWORD:
        path.write_text(password)
