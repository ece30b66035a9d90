"""A browser that does not read: it gets fewer frames, and the last value in the end."""

import base64
import contextlib
import http.cookiejar
import json
import os
import re
import socket
import sqlite3
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable

import paho.mqtt.client as mqtt
import pytest

from tests.console import Console, StartConsole
from tests.servers import PATIENCE, wait_for

pytestmark = pytest.mark.system

SENSORS = 50
ROUNDS = 60


def log_in(console: Console) -> str:
    """The session's cookie."""
    cookies = http.cookiejar.CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies))
    opener.open(f"{console.url}/login/", timeout=PATIENCE)
    token = next(cookie.value for cookie in cookies if cookie.name == "csrftoken")
    form = {"username": console.username, "password": console.password, "csrfmiddlewaretoken": token}
    opener.open(f"{console.url}/login/", urllib.parse.urlencode(form).encode(), timeout=PATIENCE).close()
    return next(cookie.value or "" for cookie in cookies if cookie.name == "sessionid")


class Browser:
    """A raw WebSocket on the list of sensors, with a window of a few kilobytes; reads when it is told to."""

    def __init__(self, console: Console, session: str) -> None:
        self.received = bytearray()
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._socket.connect(("127.0.0.1", console.http_port))
        key = base64.b64encode(os.urandom(16)).decode()
        self._socket.sendall(
            f"GET /ws/sensors/ HTTP/1.1\r\nHost: 127.0.0.1:{console.http_port}\r\nOrigin: {console.url}\r\n"
            f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
            f"Cookie: sessionid={session}\r\n\r\n".encode()
        )
        while b"\r\n\r\n" not in self.received:
            self.received += self._socket.recv(1)
        assert b" 101 " in self.received
        self._may_read = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()

    def read(self) -> None:
        self._may_read.set()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _read(self) -> None:
        while True:
            self._may_read.wait()
            try:
                data = self._socket.recv(65536)
            except OSError:
                return
            if not data:
                return
            self.received += data


def known(console: Console) -> int:
    """How many sensors are stored."""
    with contextlib.closing(sqlite3.connect(console.database, timeout=PATIENCE)) as database:
        return int(database.execute("SELECT COUNT(*) FROM mqtt_sensorstate").fetchone()[0])


def newest(browser: Browser) -> int:
    found = re.findall(rb'data-value="(\d+)"', bytes(browser.received))
    return max((int(one) for one in found), default=-1)


def test_a_browser_that_does_not_read_gets_fewer_frames_and_the_last_value(start_console: StartConsole) -> None:
    console = start_console(LIVE_INTERVAL=0.25)
    device = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    device.connect("127.0.0.1", console.broker_port)
    device.loop_start()

    def send(value: int) -> None:
        for number in range(SENSORS):
            device.publish(f"hall/box{number}", json.dumps({"level": value}), qos=1)

    session = log_in(console)
    wait_for(lambda: send(0) or known(console) == SENSORS, what="the sensors")
    quick, slow = Browser(console, session), Browser(console, session)
    with contextlib.closing(quick), contextlib.closing(slow):
        compare(quick, slow, send)
    device.disconnect()
    device.loop_stop()


def compare(quick: Browser, slow: Browser, send: Callable[[int], None]) -> None:
    quick.read()
    wait_for(lambda: newest(quick) == 0, what="the first values")
    for value in range(1, ROUNDS + 1):
        send(value)
        time.sleep(0.25)
    wait_for(lambda: newest(quick) == ROUNDS, what="the last value at the quick browser")
    seen = len(quick.received)
    slow.read()
    wait_for(lambda: newest(slow) == ROUNDS, what="the last value at the slow browser")
    assert len(slow.received) < seen / 2, (len(slow.received), seen)
