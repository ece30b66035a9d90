"""`manage.py run_mqtt` as a child of a test: the test's database, Valkey and keys, a data folder of its own."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.db import connection

from tests.servers import PATIENCE, wait_for

ROOT = Path(__file__).resolve().parent.parent


def database_url() -> str:
    """The URL of the database that this test uses."""
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    return urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}"))


class MqttProcess:
    """Started by `start`, ended by `stop` (SIGTERM) or `kill`."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self.data_dir = folder / name
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> "MqttProcess":
        environment = os.environ | {
            "DATA_DIR": str(self.data_dir),
            "DATABASE_URL": database_url(),
            "REDIS_URL": settings.CHANNEL_URL,
            "CREDENTIALS_KEY": ",".join(settings.CREDENTIALS_KEYS),
            "SECRET_KEY": settings.SECRET_KEY,
        }
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "run_mqtt", "--worker-name", self.name],
                cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            )  # fmt: skip
        ready = self.data_dir / "run" / "mqtt.ready"
        try:
            wait_for(ready.exists, what=f"{self.name} getting ready")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log.read_text()}") from None
        return self

    def stop(self, seconds: float = PATIENCE) -> int:
        """SIGTERM; the exit code, which must come within so many seconds."""
        assert self.process
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def kill(self) -> None:
        """SIGKILL, as a crash."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait(PATIENCE)
