"""A long download through the real server: all of it comes, and one that fails half way does not look whole."""

import http.client
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import paho.mqtt.client as mqtt
import pytest

from tests.console import Console
from tests.servers import PATIENCE, wait_for
from tests.system.test_slow_readers import log_in

pytestmark = pytest.mark.system

ROWS = 30_000
FIRST = 1_700_000_000_000_000
FILL = """
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?)
INSERT INTO mqtt_reading (sensor_id, time, digest, received_at, value, flags)
SELECT ?, ? + i * 1000000, i, ? + i * 1000000, i, 1 FROM n
"""


@pytest.fixture
def sensor(console: Console) -> Iterator[int]:
    """A sensor of the running console with a long history; its key."""
    device = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    device.connect("127.0.0.1", console.broker_port)
    device.loop_start()
    device.publish("download/box", json.dumps({"level": 1}), qos=1).wait_for_publish(5)
    device.loop_stop()
    device.disconnect()
    with closing(sqlite3.connect(console.database, timeout=20, isolation_level=None)) as database:

        def found() -> list[int]:
            rows = database.execute("SELECT id FROM mqtt_sensordevice WHERE key LIKE 'download/box%'").fetchall()
            return [row[0] for row in rows]

        wait_for(found, what="the sensor")
        (pk,) = found()
        database.execute("DELETE FROM mqtt_reading WHERE sensor_id = ?", (pk,))
        database.execute(FILL, (ROWS, pk, FIRST, FIRST))
        yield pk
        database.execute("DELETE FROM mqtt_reading WHERE sensor_id = ?", (pk,))


def download(console: Console, session: str, pk: int) -> bytes:
    """The whole file. Raises IncompleteRead with what came, when the server breaks off."""
    with closing(http.client.HTTPConnection("127.0.0.1", console.http_port, timeout=PATIENCE)) as browser:
        browser.request("GET", f"/sensors/{pk}/export/?export=csv", headers={"Cookie": f"sessionid={session}"})
        return browser.getresponse().read()


def test_a_download_is_whole_or_breaks_off(console: Console, sensor: int) -> None:
    session = log_in(console)
    assert download(console, session, sensor).count(b"Z,true,false\r\n") == ROWS
    with closing(sqlite3.connect(console.database, timeout=20, isolation_level=None)) as database:
        database.execute(  # SQLite takes a text for a time: nothing can be made of this row, on the last page
            "INSERT INTO mqtt_reading (sensor_id, time, digest, received_at, value, flags) VALUES (?, ?, 0, 'x', 1, 1)",
            (sensor, FIRST - 1_000_000),
        )
    with pytest.raises(http.client.IncompleteRead) as broken:
        download(console, session, sensor)
    assert f"The export stopped here after {ROWS} rows: it is not whole." in broken.value.partial[-300:].decode()
