"""The project's own corpus is understood completely, and the comparison sees what is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest

from mqtt.decoders import registry
from mqtt.decoders.base import Content
from mqtt.decoders.corpus.judge import ASPECTS, Score, Verdict
from mqtt.decoders.corpus.lines import CorpusError, read
from mqtt.messages import Announcement, Decoded, DecodedFacts, DecodedReading, DeviceRef
from tests.decoders.helpers import NOW

OWN = Path(__file__).parents[1] / "corpus"


def line(payload: Any, expect: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    whole = {"device": "b", "gateway": None, "readings": [], "timestamp": None, "availability": None, **(expect or {})}
    return {"id": "x", "family": "test", "kind": "state", "topic": "a/b", "payload": payload, "expect": whole} | more


def verdict(*lines: dict[str, Any]) -> Verdict:
    """Of the last of the lines."""
    return [Verdict(outcome) for outcome in read(map(json.dumps, lines), NOW).run()][-1]


def reading(name: str, value: Any, unit: str | None = None, **more: Any) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, **more}


def score(found: Verdict, aspect: str) -> tuple[int, int]:
    return found.score.right[aspect], found.score.of[aspect]


@pytest.mark.parametrize(
    "found",
    [outcome for file in sorted(OWN.glob("*.jsonl")) for outcome in read(file.read_bytes().splitlines(), NOW).run()],
    ids=lambda outcome: outcome.line.id,
)
def test_the_projects_own_corpus_is_understood(found: Any) -> None:
    judged = Verdict(found)
    assert judged.wrong == []


def test_in_order_each_line_knows_what_those_before_it_announced() -> None:
    unit = line("°C", None, id="unit", topic="homie/boiler/flow/temperature/$unit")
    value = line(41, {"device": "boiler", "readings": [reading("flow.temperature", 41, "°C")]}) | {
        "topic": "homie/boiler/flow/temperature"
    }
    corpus = read(map(json.dumps, (unit, value)), NOW)
    assert [Verdict(outcome).wrong for outcome in corpus.run(in_order=True)][-1] == []
    assert [Verdict(outcome).wrong for outcome in corpus.run()][-1] == [
        "flow.temperature is 41.0 instead of 41 °C",
    ]


def test_positions_are_read_where_they_are_wanted() -> None:
    report = line({"_type": "location", "lat": 45.5, "lon": 9.2, "batt": 71}, None, topic="owntracks/ada/phone")
    corpus = read([json.dumps(report)], NOW)
    names = [
        {one.name for one in outcome.decoded.readings} if outcome.decoded else set()
        for wanted in (False, True)
        for outcome in corpus.run(positions=wanted)
    ]
    assert names == [{"batt"}, {"batt", "lat", "lon"}]


def test_values_are_compared_with_a_little_tolerance_and_booleans_as_numbers() -> None:
    expect = {"readings": [reading("level", 0.1 + 0.2), reading("pump", True), reading("word", "up")]}
    assert verdict(line({"level": 0.3, "pump": True, "word": "up"}, expect)).wrong == []
    assert score(verdict(line({"level": 0.3001, "pump": False, "word": "down"}, expect)), "readings") == (0, 3)


def test_a_unit_must_be_the_expected_one_and_may_be_more_than_expected() -> None:
    found = verdict(line({"flow_temp_c": 3}, {"readings": [reading("flow_temp_c", 3)]}))
    assert (found.wrong, found.score.units_beyond) == ([], 1)
    assert score(verdict(line({"flow_temp_c": 3}, {"readings": [reading("flow_temp_c", 3, "K")]})), "readings") == (
        0,
        1,
    )


def test_another_device_makes_a_reading_missing_and_false() -> None:
    found = verdict(line({"level": 3}, {"device": "c", "readings": [reading("level", 3)]}))
    assert [score(found, one) for one in ("devices", "readings")] == [(0, 1), (0, 1)]
    assert found.score.false_readings == 1


def test_local_time_is_taken_as_utc_and_no_time_means_none() -> None:
    expect = {"readings": [reading("level", 3)], "timestamp": "2026-03-01T10:00:00"}
    assert verdict(line({"level": 3, "time": "2026-03-01T10:00:00"}, expect)).wrong == []
    assert score(verdict(line({"level": 3}, expect)), "times") == (0, 1)
    late = line({"level": 3, "ts": 1772359200}, {"readings": [reading("level", 3)]})
    assert score(verdict(late), "times") == (0, 1)


def test_several_readings_of_a_name_are_told_apart_by_value_and_time() -> None:
    rows = [{"ts": 1772359200, "level": 1}, {"ts": 1772359260, "level": 2}]
    expect = [reading("level", 2, timestamp="2026-03-01T10:01:00Z"), reading("level", 1, timestamp=1772359200)]
    assert verdict(line(rows, {"readings": expect})).wrong == []


def test_an_unnamed_device_may_be_named_by_the_topic_only() -> None:
    expect = {"device": None, "readings": [reading("level", 3)]}
    assert verdict(line({"level": 3}, expect)).wrong == []
    assert score(verdict(line([{"id": "k7", "level": 3}], expect)), "devices") == (0, 1)


def test_what_is_not_expected_is_false_unless_the_list_is_a_subset() -> None:
    assert verdict(line({"level": 3}, kind="command")).score.false_readings == 1
    assert verdict(line({"level": 3}, note="Readings are a subset.")).score.false_readings == 0
    battery = line({"level": 3, "battery": 77}, {"readings": [reading("level", 3)], "meta": {"battery_percent": 77}})
    assert verdict(battery).wrong == []


def test_a_malformed_message_may_be_refused() -> None:
    found = verdict(line('{"level": 3', kind="malformed"))
    assert (found.wrong, found.outcome.error) == ([], "not_json")


def test_an_offline_that_nobody_said_is_wrong_and_an_online_is_not() -> None:
    for word, wrong in (("offline", 1), ("online", 0)):
        found = verdict(line(word, topic="a/b/LWT"))
        assert len(found.wrong) == wrong
    assert score(verdict(line("offline", {"availability": "online"}, topic="a/b/LWT")), "availability") == (0, 1)


class Announcing:
    """Says its unit once, and needs to have heard it."""

    name = "announcing"

    def knows_topic(self, topic: str) -> bool:
        return topic.startswith("announcing/")

    def claims(self, _content: Content) -> bool:
        return True

    def decode(self, content: Content) -> Decoded:
        if content.topic.endswith("/units"):
            return Decoded(self.name, announcements=[Announcement("announcing", "d", {"level": content.text})])
        ref = DeviceRef("announcing", "d", "g", "g")
        unit = (content.memory.get("announcing", "d") or {}).get("level", "")
        return Decoded(
            self.name, [DecodedReading(ref, "level", 1.0, unit=unit)], [], [DecodedFacts(ref, {"model": "m"})]
        )


@pytest.fixture
def announcing(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(registry, "DECODERS", (Announcing(), *registry.DECODERS))
    registry.candidates.cache_clear()
    yield
    registry.candidates.cache_clear()


@pytest.mark.usefixtures("announcing")
def test_what_a_line_needs_comes_first_and_nothing_else() -> None:
    units = line("cm", id="u", topic="announcing/units", kind="discovery")
    expect = {"device": "d", "gateway": "g", "readings": [reading("level", 1, "cm")]}
    data = line("1", expect, topic="announcing/1")
    assert len(verdict(units, data).wrong) == 1
    assert verdict(units, data | {"needs": ["u"]}).wrong == []
    assert verdict(data | {"needs": [{"topic": "announcing/units", "payload_b64": "Y20="}]}).wrong == []


@pytest.mark.usefixtures("announcing")
def test_of_a_discovery_the_announced_unit_counts() -> None:
    expect = {"device": "d", "readings": [reading("level", None, "cm")]}
    units = line("cm", expect, topic="announcing/units", kind="discovery")
    assert verdict(units).wrong == []
    assert score(verdict(units | {"payload": "mm"}), "readings") == (0, 1)


def test_a_value_that_must_not_come_counts_when_it_stays_away() -> None:
    expect = {"readings": [reading("level", None, "cm"), reading("x", 1)]}
    assert verdict(line({"level": None, "x": 1}, expect)).wrong == []
    assert score(verdict(line({"level": 2, "x": 1}, expect)), "readings") == (1, 2)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("[1]", "Line 1"),
        ("{", "Line 1"),
        ('{"payload": "1"}', "topic"),
        ('{"topic": "t", "payload_b64": "*"}', "Line 1"),
    ],
)
def test_a_line_of_something_else_is_named(text: str, part: str) -> None:
    with pytest.raises(CorpusError, match=part):
        read([text], NOW)


def test_needs_must_be_there_and_must_end() -> None:
    with pytest.raises(CorpusError, match="x needs y"):
        verdict(line("1", needs=["y"]))
    with pytest.raises(CorpusError, match="need each other"):
        verdict(line("1", id="y", needs=["x"]), line("1", needs=["y"]))
    with pytest.raises(CorpusError, match="earlier line"):
        verdict(line("1"), line("1"))


def test_scores_add_up() -> None:
    total = Score()
    for _ in range(2):
        total.add(verdict(line({"level": 3}, {"readings": [reading("level", 4)]})).score)
    assert (total.messages, total.of["readings"], total.right["readings"], total.right["devices"]) == (2, 2, 0, 2)
    assert set(total.of) == set(ASPECTS)
