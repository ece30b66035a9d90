import pytest

from mqtt.decoders import memory as room
from mqtt.decoders.memory import Memory
from mqtt.messages import Announcement


def said(key: str, data: dict[str, int] | None, *topics: str) -> Announcement:
    return Announcement("family", key, data, topics)


def test_an_announcement_is_found_by_its_key_and_by_its_topics() -> None:
    memory = Memory()
    memory.put(said("a", {"unit": 1}, "t/1", "t/2"))
    assert memory.get("family", "a") == {"unit": 1}
    assert memory.get("other", "a") is None
    assert [one.key for one in memory.about("t/2")] == ["a"]
    memory.put(said("a", {"unit": 2}, "t/2"))
    assert not memory.speaks_of("t/1")
    memory.put(said("a", None))
    assert not memory.speaks_of("t/2")
    assert memory.get("family", "a") is None


def test_only_what_is_new_is_to_be_stored() -> None:
    memory = Memory()
    memory.load(iter([said("a", {"unit": 1}, "t"), said("b", {"unit": 1})]))
    memory.put(said("a", {"unit": 1}, "t"))
    memory.put(said("nobody", None))
    assert memory.changed() == []
    memory.put(said("a", {"unit": 2}, "t"))
    memory.put(said("b", None))
    assert memory.changed() == [said("a", {"unit": 2}, "t"), said("b", None)]
    memory.commit()
    assert memory.changed() == []


def test_a_rollback_brings_back_what_was_stored() -> None:
    memory = Memory()
    memory.load(iter([said("a", {"unit": 1}, "t")]))
    for unit in (2, 3):
        memory.put(said("a", {"unit": unit}, "u"))
    memory.put(said("b", {"unit": 1}))
    memory.rollback()
    assert memory.get("family", "a") == {"unit": 1}
    assert memory.speaks_of("t")
    assert not memory.speaks_of("u")
    assert memory.get("family", "b") is None
    assert memory.changed() == []


def test_a_flood_of_announcements_and_notes_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MOST_ANNOUNCEMENTS", 3)
    monkeypatch.setattr(room, "MOST_NOTES", 3)
    memory = Memory()
    for number in range(9):
        memory.put(said(str(number), {"unit": number}))
        memory.note(number, number)
    assert [memory.get("family", str(number)) is not None for number in range(9)] == [True] * 3 + [False] * 6
    assert len(memory.notes) <= 3


def test_what_one_family_told_about_a_topic_is_found_alone() -> None:
    memory = Memory()
    memory.put(said("a", {"unit": 1}, "t"))
    memory.put(Announcement("other", "a", {"unit": 2}, ("t",)))
    assert memory.told("t", "family") == [{"unit": 1}]
    assert memory.told("u", "family") == []


def test_what_is_announced_is_bounded_in_bytes_and_what_goes_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    large = {"name": "x" * 1000}
    monkeypatch.setattr(room, "MOST_BYTES", 2500)
    memory = Memory()
    assert [memory.put(Announcement("family", key, large)) for key in "abc"] == [True, True, False]
    assert memory.get("family", "c") is None
    assert memory.put(said("a", {"unit": 1}))
    assert memory.put(Announcement("family", "c", large))
    assert not memory.put(Announcement("family", "a", large))
    assert memory.get("family", "a") == {"unit": 1}
    memory.rollback()
    assert [memory.put(Announcement("family", key, large)) for key in "de"] == [True, True]


def test_a_memory_is_filled_only_as_far_as_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MOST_BYTES", 2500)
    memory = Memory()
    memory.load(Announcement("family", str(number), {"name": "x" * 1000}) for number in range(5))
    assert [memory.get("family", str(number)) is not None for number in range(5)] == [True] * 2 + [False] * 3
