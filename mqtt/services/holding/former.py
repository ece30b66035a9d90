"""The process that ran before us in this folder: what it held is free at once when it is known to be dead.

A lease of its own lets the next holder wait for up to nine seconds. Meanwhile a broker that lost our session,
as the embedded one has when the whole console was killed, acknowledges what nobody will ever hear.
"""

import fcntl
import logging
from contextlib import ExitStack, suppress
from pathlib import Path

from django.db.models.functions import Now

from mqtt.models import ConnectionLease, MqttWorker
from mqtt.services.holding.leases import update_in_order

logger = logging.getLogger(__name__)

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Former:
    """Holds a lock on a file with our name in it, which ends with this process, however it ends.

    Who gets the lock knows that whoever stands in the file is dead; the name of the computer's boot with it
    tells this computer from another that has a copy of the folder.
    """

    def __init__(self, path: Path | None, holder: str) -> None:
        """Of several processes in one folder only one gets the lock; the others wait as ever."""
        self._dead = ""
        self._lock = ExitStack()
        if path is None:
            return
        with suppress(OSError):  # no such system, locked, or a disk that is full: leases run out by themselves
            boot = BOOT_ID.read_text().strip()
            stream = self._lock.enter_context(path.open("a+"))
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            stream.seek(0)
            was_boot, _, name = stream.read().strip().partition(" ")
            self._dead = name if was_boot == boot else ""
            stream.truncate(0)
            stream.write(f"{boot} {holder}")
            stream.flush()

    def bury(self) -> None:
        """Free what it held; once. Raises what the database raises, and then wants to be called again."""
        if not self._dead:
            return
        freed = update_in_order(ConnectionLease.objects.filter(holder=self._dead), expires_at=Now(), holder="")
        MqttWorker.objects.filter(pk=self._dead).delete()
        if freed:
            logger.info("The process before this one died: its connections are free")
        self._dead = ""

    def close(self) -> None:
        """We end, and hold nothing any more."""
        self._lock.close()
