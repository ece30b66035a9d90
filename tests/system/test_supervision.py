import http.cookiejar
import os
import signal
import sqlite3
import stat
import subprocess
import urllib.parse
import urllib.request
from contextlib import closing, suppress

import paho.mqtt.publish
import pytest

from app.env import own_address
from tests.console import Console, StartConsole, is_alive, run_up
from tests.servers import PATIENCE, answers, free_port, wait_for

pytestmark = pytest.mark.system

SYSTEMD_WAITS = 10
"""Seconds until a service is killed. That 5 are enough is for .ci/try-run to see, which runs alone."""


def page(console: Console, path: str = "/healthz") -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{console.http_port}{path}", timeout=PATIENCE) as response:
        return str(response.read().decode())


def test_everything_runs_when_it_says_ready(console: Console) -> None:
    assert {"broker", "valkey", "mqtt", "web"} <= set(console.pids())
    assert all(is_alive(pid) for pid in console.pids().values())
    assert console.url == f"http://127.0.0.1:{console.http_port}"
    assert console.password
    assert page(console) == "ok\n"
    assert answers(console.broker_port)


def test_it_listens_to_this_machine_only(console: Console) -> None:
    listening = subprocess.run(["cat", "/proc/net/tcp"], capture_output=True, text=True, check=True).stdout
    for port in (console.http_port, console.broker_port):
        hosts = {line.split()[1].split(":")[0] for line in listening.splitlines() if f":{port:04X} 00000000" in line}
        assert hosts == {"0100007F"}


def test_secrets_are_for_their_owner_only(console: Console) -> None:
    for name in ("secret_key", "credentials_key", "broker_password", "broker.toml"):
        assert stat.S_IMODE((console.data_dir / name).stat().st_mode) == 0o600, name
    assert stat.S_IMODE(console.data_dir.stat().st_mode) == 0o700
    assert stat.S_IMODE((console.data_dir / "run" / "valkey.sock").stat().st_mode) == 0o700


def test_a_second_console_on_the_same_folder_is_refused(console: Console) -> None:
    second = run_up(console.data_dir)
    assert second.returncode == 1
    assert second.stdout == ""
    assert str(console.process.pid) in second.stderr  # type: ignore[union-attr]
    assert len(second.stderr.splitlines()) == 1
    assert page(console) == "ok\n"


@pytest.mark.parametrize("variable", ["HTTP_PORT", "EMBEDDED_BROKER_PORT"])
def test_a_taken_port_is_named_with_its_variable(console: Console, tmp_path: object, variable: str) -> None:
    taken = console.http_port
    refused = run_up(tmp_path / "data", **{variable: taken})  # type: ignore[operator]
    assert refused.returncode == 1
    assert str(taken) in refused.stderr
    assert variable in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_every_child_that_is_killed_comes_back_and_is_counted(start_console: StartConsole) -> None:
    console = start_console()
    killed = ("mqtt", "web", "valkey", "broker")
    for name in killed:
        console.kill_child(name)
    children = console.children
    assert all(children[name].restarts == 1 for name in killed)
    assert all(children[name].last_exit == -signal.SIGKILL for name in killed)
    assert "web was ended by SIGKILL and is started again" in console.output
    assert page(console) == "ok\n"

    children = console.pids()
    console.stop(signal.SIGKILL)
    wait_for(lambda: not any(is_alive(pid) for pid in children.values()), what="the end of all children")

    # What a killed console leaves behind does not stop the next one, which keeps the account and its password.
    password = console.password
    console.start()
    assert console.output.count("password=") == 1
    assert console.password == password
    assert console.output.count("Vedetta is ready") == 2


def stops_in_time(console: Console, number: signal.Signals) -> None:
    children = console.pids()
    assert console.stop(number) < SYSTEMD_WAITS
    assert console.process.returncode == 0  # type: ignore[union-attr]
    assert not [name for name, pid in children.items() if is_alive(pid)]
    assert console.pids() == {}
    assert console.children == {}


def test_a_child_that_will_not_end_is_killed_in_time(start_console: StartConsole) -> None:
    console = start_console()
    children = console.pids()
    os.kill(children["mqtt"], signal.SIGSTOP)
    assert console.stop() < SYSTEMD_WAITS
    assert "mqtt did not end in time and is killed" in console.output
    assert not [name for name, pid in children.items() if is_alive(pid)]


def test_a_value_is_stored_also_after_every_child_was_killed_and_a_signal_stops_all_in_time(
    start_console: StartConsole,
) -> None:
    console = start_console()
    publish(console, "hall/north", '{"temperature_C": 21.4}')
    wait_for(lambda: stored(console) == {21.4}, what="the first value in the database")
    for name in ("valkey", "broker", "mqtt"):
        console.kill_child(name)

    def arrives() -> bool:
        """Published again and again: a broker that was killed has forgotten who listens, until we are back."""
        with suppress(OSError):
            publish(console, "hall/north", '{"temperature_C": 21.5}')
        return stored(console) == {21.4, 21.5}

    wait_for(arrives, what="the second value in the database")
    stops_in_time(console, signal.SIGTERM)


def log_in_over_plain_http(console: Console) -> None:
    assert console.url == f"http://{own_address()}:{console.http_port}"
    cookies = http.cookiejar.CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies))
    opener.open(f"{console.url}/login/", timeout=PATIENCE)
    token = next(cookie.value for cookie in cookies if cookie.name == "csrftoken")
    form = {"username": "admin", "password": console.password, "csrfmiddlewaretoken": token}
    request = urllib.request.Request(
        f"{console.url}/login/", urllib.parse.urlencode(form).encode(), headers={"Origin": console.url}
    )
    with opener.open(request, timeout=PATIENCE) as answer:
        assert answer.status == 200
        assert answer.url == f"{console.url}/"
    assert "sessionid" in {cookie.name for cookie in cookies}


def test_what_devices_send_to_a_new_broker_before_the_mqtt_process_is_back_is_stored(
    start_console: StartConsole,
) -> None:
    console = start_console()
    with console.paused("mqtt"):
        console.kill_child("broker")
        numbers = [("hall/north", str(number), 1, False) for number in range(500)]
        paho.mqtt.publish.multiple(numbers, hostname="127.0.0.1", port=console.broker_port)  # type: ignore[arg-type]
        assert not stored(console)
    wait_for(lambda: 499 in stored(console), what="the last number")
    assert stored(console) == set(range(500))


def test_the_demo_says_so_its_devices_send_and_ctrl_c_stops_all_in_time(start_console: StartConsole) -> None:
    console = start_console("--demo")
    assert is_alive(console.pid("demo"))
    wait_for(lambda: len(stored(console)) > 20, what="readings of the demo devices")
    stops_in_time(console, signal.SIGINT)


def publish(console: Console, topic: str, payload: str) -> None:
    """Publish once at QoS 1, and wait for the broker's acknowledgement."""
    paho.mqtt.publish.single(topic, payload, qos=1, hostname="127.0.0.1", port=console.broker_port)


def column(console: Console, query: str) -> set[object]:
    with closing(sqlite3.connect(f"file:{console.database}?mode=ro", uri=True, timeout=PATIENCE)) as database:
        return {row[0] for row in database.execute(query)}


def stored(console: Console) -> set[object]:
    return column(console, "SELECT value FROM mqtt_reading")


def test_with_the_lan_option_people_log_in_over_the_network_and_devices_follow_option_and_port(
    start_console: StartConsole,
) -> None:
    console = start_console("--lan")
    log_in_over_plain_http(console)
    login = '"device"' in (console.data_dir / "broker.toml").read_text()
    assert login
    assert "Devices log in at the embedded broker" in console.output
    assert embedded_connection(console) == f"{console.broker_port} device True"

    console.stop()
    console.options, console.broker_port = (), free_port()
    console.start()
    assert "auth" not in (console.data_dir / "broker.toml").read_text()
    assert embedded_connection(console) == f"{console.broker_port}  False"


def embedded_connection(console: Console) -> str:
    code = (
        "from mqtt.models import MqttConnection; from mqtt.encryption import decrypt; from django.conf import settings;"
        "c = MqttConnection.objects.get();"
        "print(c.port, c.username, decrypt(c.password_token) == settings.EMBEDDED_BROKER_PASSWORD)"
    )
    done = console.manage("shell", "--no-imports", "-c", code)
    assert done.returncode == 0, done.stderr
    return done.stdout.removesuffix("\n")
