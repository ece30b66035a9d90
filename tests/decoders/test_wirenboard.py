import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mqtt.decoders.memory import Memory
from tests.decoders.helpers import decoded, values
from tests.decoders.test_registry import DOCUMENTS, check


def test_what_stands_under_meta_tells_the_unit_whoever_speaks_first() -> None:
    memory = Memory()
    before = decoded("/devices/msw/controls/Sound", "40", memory=memory)
    decoded("/devices/msw/controls/Sound/meta/type", "sound_level", memory=memory)
    after = decoded("/devices/msw/controls/Sound", "41", memory=memory)
    decoded("/devices/msw/controls/Sound/meta", json.dumps({"type": "value", "units": "deg C"}), memory=memory)
    named = decoded("/devices/msw/controls/Sound", "42", memory=memory)
    assert [one.unit for result in (before, after, named) for one in result.readings] == ["", "dB", "°C"]
    assert {one.device.key for one in [*before.readings, *named.readings]} == {"/devices/msw"}


def test_switches_are_booleans_texts_stay_and_buttons_and_wishes_say_nothing() -> None:
    memory = Memory()
    for control, kind in (("K1", "switch"), ("Serial", "text"), ("Reset", "pushbutton")):
        decoded(f"/devices/mr/controls/{control}/meta", json.dumps({"type": kind}), memory=memory)
    found = [decoded(f"/devices/mr/controls/{name}", "1", memory=memory) for name in ("K1", "Serial", "Reset")]
    assert [values(one) for one in found] == [{"K1": 1.0}, {"Serial": "1"}, {}]
    assert decoded("/devices/mr/controls/K1/on", "0", memory=memory).readings == []


def test_a_device_has_its_title() -> None:
    result = decoded("/devices/mr/meta", json.dumps({"driver": "wb-modbus", "title": {"en": "Relays", "ru": "x"}}))
    assert [(one.device.key, one.facts) for one in result.facts] == [("/devices/mr", {"name": "Relays"})]


@given(DOCUMENTS, st.sampled_from(["controls/a", "controls/a/meta", "controls/a/meta/units", "meta", "meta/name"]))
def test_anything_below_a_device_is_decoded_or_refused(document: Any, rest: str) -> None:
    check(f"/devices/x/{rest}", json.dumps(document).encode(), Memory())
