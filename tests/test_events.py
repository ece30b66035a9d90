import pytest

from mqtt import events
from mqtt.events import AvailabilityChanged


def test_an_event_names_rows_as_far_as_there_is_room_and_says_that_there_are_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(events, "MAX_IDS", 3)
    event = AvailabilityChanged(connection_id=1)
    event.add("gateway", [7])
    event.add("sensor", [1, 2])
    event.add("sensor", [3])
    assert (event.gateways, event.sensors, event.more) == ([7], [1, 2, 3], False)
    event.add("sensor", [4, 5])
    event.add("gateway", [8])
    assert (event.gateways, event.sensors, event.more) == ([7, 8], [1, 2, 3], True)
