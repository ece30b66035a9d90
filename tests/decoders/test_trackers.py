"""OwnTracks and flespi."""

import json

from mqtt.enums import Availability
from tests.decoders.helpers import decoded, values

HERE = {"_type": "location", "lat": 45.1, "lon": 9.2, "batt": 70, "vel": -1, "tst": 1789984800, "tid": "AB"}


def test_where_somebody_is_becomes_a_reading_only_by_choice() -> None:
    assert values(decoded("owntracks/ann/phone", json.dumps(HERE))) == {"batt": 70.0}
    chosen = decoded("owntracks/ann/phone", json.dumps(HERE), "owntracks+positions")
    assert values(chosen) == {"lat": 45.1, "lon": 9.2, "batt": 70.0}
    assert {one.time_us for one in chosen.readings} == {1_789_984_800_000_000}


def test_a_height_whose_accuracy_is_unknown_is_not_known_either() -> None:
    fix = {"_type": "location", "lat": 45.5, "lon": 9.2, "alt": "0", "vac": "-1", "vel": "-1"}
    assert set(values(decoded("owntracks/ann/car", json.dumps(fix), "owntracks+positions"))) == {"lat", "lon"}
    assert values(decoded("owntracks/ann/car", json.dumps(fix | {"vac": "4"}), "owntracks+positions"))["alt"] == 0


def test_a_last_will_says_offline_and_the_rest_says_nothing() -> None:
    (said,) = decoded("owntracks/ann/phone", '{"_type": "lwt", "tst": 1}').availability
    assert (said.device.identifier, said.availability) == ("ann/phone", Availability.OFFLINE)
    for kind in ("encrypted", "waypoint", "cmd"):
        assert decoded("owntracks/ann/phone/event", json.dumps({"_type": kind, "lat": 1, "data": "x"})).readings == []


def test_a_tracker_is_its_ident() -> None:
    payload = {"ident": "123", "timestamp": 1789984800, "position.speed": 30, "engine.on": True, "peer": "1.2.3.4"}
    result = decoded("flespi/message/gw/1/123", json.dumps(payload))
    assert values(result) == {"position.speed": 30.0, "engine.on": 1.0}
    assert (result.readings[0].device.identifier, result.readings[0].unit) == ("123", "km/h")
