import json
from typing import Any

from hypothesis import given

from mqtt.enums import Availability
from mqtt.messages import Decoded
from tests.decoders.helpers import decoded, values
from tests.decoders.test_registry import DOCUMENTS, check

EVENT = {"e": "changed", "t": "event"}


def say(**keys: Any) -> Decoded:
    return decoded("deconz/events", json.dumps(EVENT | keys))


def test_parts_of_one_radio_are_one_device() -> None:
    warm = say(id="3", r="sensors", uniqueid="00:15:8d:00:02:3d:26:5e-01-0402", state={"temperature": -154})
    damp = say(
        id="4", r="sensors", uniqueid="00:15:8d:00:02:3d:26:5e-01-0405", state={"humidity": 4512, "lastupdated": "none"}
    )
    assert {one.device.key for one in [*warm.readings, *damp.readings]} == {"deconz/events#00:15:8d:00:02:3d:26:5e"}
    assert values(warm) | values(damp) == {"state.temperature": -1.54, "state.humidity": 45.12}


def test_whoever_is_out_of_reach_is_offline_and_its_settings_are_no_readings() -> None:
    result = say(id="4", r="sensors", uniqueid="x", config={"reachable": False, "on": True, "battery": 7, "offset": 3})
    assert values(result) == {"config.battery": 7.0}
    assert [(one.availability, one.alone) for one in result.availability] == [(Availability.OFFLINE, True)]


def test_attributes_are_facts() -> None:
    result = say(id="4", r="lights", uniqueid="x", attr={"name": "Lamp", "modelid": "L1", "swversion": "2"})
    assert [one.facts for one in result.facts] == [{"name": "Lamp", "model": "L1", "firmware": "2"}]


@given(DOCUMENTS)
def test_any_event_is_decoded_or_refused(document: Any) -> None:
    for key in ("state", "config", "attr", "id", "uniqueid"):
        check("deconz/events", json.dumps(EVENT | {"r": "sensors", "id": "1"} | {key: document}).encode())
