"""`manage.py up`: the whole console on one machine, from the first check to the last child's end."""

import os
import select
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

from django.conf import settings

from app.env import own_address
from mqtt.supervisor import guards, programs
from mqtt.supervisor.broker import BrokerSettings
from mqtt.supervisor.family import Family
from mqtt.supervisor.output import Output
from mqtt.supervisor.preparation import Preparation

SERVERS_MAY_TAKE = 10.0
"""Seconds to wait for broker and Valkey; pages without them are of more use than no pages."""
MQTT_MAY_TAKE = 5.0
"""Seconds to wait for the mqtt process once the pages answer: a console that cannot store can still say so."""


class Console:
    """One run of the console."""

    def __init__(self) -> None:
        self.output = Output()
        self.family = Family(settings.RUN_DIR, self.output)
        self.broker = BrokerSettings.from_settings() if settings.EMBEDDED_BROKER else None
        # Signals write to a pipe: the loop below sleeps on it, and no lock can be held at the wrong moment.
        self._wake, self._wake_end = os.pipe()
        for end in (self._wake, self._wake_end):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(self._wake_end, warn_on_full_buffer=False)
        self._stopping = False
        self._preparation = Preparation(self.output, self._wake_up)

    def run(self) -> None:
        """Start everything, keep it alive, and stop it when asked to."""
        os.umask(0o077)  # what the console keeps is for its owner: readings, password hashes, logins
        lock = guards.lock_folder(settings.DATA_DIR)
        self.output.keep(settings.LOG_FILE)
        guards.check_ports(self._listeners())
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._asked_to_stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # a handler of our own, so that it wakes the loop
        try:
            self._preparation.start()
            self._wait_until(lambda: self._preparation.is_checked or self._preparation.is_over())
            self._start_servers()  # they come up while the tables are looked at
            self._wait_until(self._preparation.is_over)
            self._start_own()
            self._keep_alive()
        finally:
            if self.family.children:
                self.output.say("Stopping ...")
            self._preparation.leave_off()
            if self._preparation.password:  # nobody has seen it yet
                self._say_login("The first account was made:")
            self.family.stop()
            self.output.close()
            lock.close()

    def _start_servers(self) -> None:
        if self._stopping:
            return
        servers = []
        if settings.EMBEDDED_VALKEY:
            programs.own_folder(settings.VALKEY_SOCKET.parent)
            servers.append(programs.valkey(settings.VALKEY_SOCKET))
        self.family.start(servers)

    def _start_own(self) -> None:
        if self.broker and not self._stopping:
            # Not sooner: the mqtt process is to have its place there before any device comes.
            self.family.start([programs.broker(self.broker, self.broker.write(settings.DATA_DIR))], beside=True)
        self._wait_for("broker", "valkey", seconds=SERVERS_MAY_TAKE)
        if self._stopping:
            return
        own = [programs.mqtt(settings.RUN_DIR), programs.web(settings.HTTP_HOST, settings.HTTP_PORT)]
        if settings.DEMO and self.broker:
            own.append(programs.demo(self.broker))
        self.family.start(own)

    def _keep_alive(self) -> None:
        self._wait_for("web")
        if not self._stopping:
            self._wait_for("mqtt", seconds=MQTT_MAY_TAKE)
            self._say_ready()
        while not self._stopping:
            self._one_round()

    def _wait_for(self, *names: str, seconds: float = float("inf")) -> None:
        end = time.monotonic() + seconds
        self._wait_until(lambda: self.family.is_ready(*names) or time.monotonic() >= end)

    def _wait_until(self, condition: Callable[[], bool]) -> None:
        """Look after the children until then, or until asked to stop."""
        while not self._stopping and not condition():
            self._one_round()

    def _one_round(self) -> None:
        if select.select([self._wake], [], [], self.family.pause())[0]:
            os.read(self._wake, 4096)
        self.family.look_after()

    def _say_ready(self) -> None:
        host = own_address() if settings.LISTENS_TO_ALL else settings.HTTP_HOST
        url = f"http://[{host}]:{settings.HTTP_PORT}" if ":" in host else f"http://{host}:{settings.HTTP_PORT}"
        self._say_login(f"Vedetta is ready: {url} ")
        if self.broker and self.broker.username:
            self.output.say(
                f"Devices log in at the embedded broker (port {self.broker.port}) as {self.broker.username!r}; "
                f"the password is EMBEDDED_BROKER_PASSWORD, or else in {settings.DATA_DIR / 'broker_password'}."
            )

    def _say_login(self, line: str) -> None:
        """With the password where one was made up: once, and only on the terminal."""
        line = f"{line} user={settings.ADMIN_USERNAME}"
        password, self._preparation.password = self._preparation.password, ""
        self.output.say(line + (f"  password={password}" if password else ""), kept=line)

    def _listeners(self) -> list[guards.Listener]:
        found = [guards.Listener(settings.HTTP_HOST, settings.HTTP_PORT, "HTTP_HOST", "HTTP_PORT")]
        if self.broker:
            names = ("EMBEDDED_BROKER_HOST", "EMBEDDED_BROKER_PORT")
            found.append(guards.Listener(self.broker.host, self.broker.port, *names))
        return found

    def _wake_up(self) -> None:
        with suppress(BlockingIOError):  # it is being woken already
            os.write(self._wake_end, b"\0")

    def _asked_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True
