import pytest

from mqtt.decoders import memory
from mqtt.messages import Announcement
from mqtt.models import DeviceAnnouncement
from mqtt.services import announcements
from mqtt.services.announcements import Memories, load_memory
from tests.factories import make_connection, make_site

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def test_what_was_announced_is_there_after_a_restart() -> None:
    connection = make_connection()
    memories = Memories()
    hostile = {"name": "a\0b \U0001f600", "unit": None}
    memories.take(connection.pk, [Announcement("z", "a", hostile, ("t/1",)), Announcement("z", "b", {"x": 1})])
    memories.write({connection.pk})
    memories.commit()
    volts = hostile | {"unit": "V"}
    memories.take(connection.pk, [Announcement("z", "b", None), Announcement("z", "a", volts, ("t",))])
    memories.write({connection.pk})
    again = load_memory(connection.pk)
    assert again.get("z", "a") == volts
    assert [one.key for one in again.about("t")] == ["a"]
    assert again.get("z", "b") is None


def test_what_other_processes_hold_is_not_written() -> None:
    connection = make_connection()
    memories = Memories()
    memories.take(connection.pk, [Announcement("z", "a", {"x": 1})])
    memories.write(set())
    assert not DeviceAnnouncement.objects.exists()


def test_an_announcement_that_is_too_large_does_not_stop_the_batch_and_is_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    connection = make_connection()
    memories = Memories()
    for filler in "yz":
        large = {"x": filler * announcements.MAX_DATA}
        memories.take(connection.pk, [Announcement("z", "a", large), Announcement("z", "b", {"x": filler})])
        memories.write({connection.pk})
    assert [one.key for one in DeviceAnnouncement.objects.all()] == ["b"]
    assert caplog.text.count("too large") == 1


def test_a_flood_of_announcements_is_refused_and_said_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "MOST_BYTES", 1000)
    connection = make_connection()
    memories = Memories()
    for number in range(20):
        memories.take(connection.pk, [Announcement("z", str(number), {"x": "y" * 400})])
    memories.write({connection.pk})
    assert DeviceAnnouncement.objects.count() == 2
    assert caplog.text.count("no room") == 1


def test_local_times_are_those_of_the_site() -> None:
    site = make_site(time_zone="Asia/Tokyo")
    make_site(name="island", time_zone="Atlantic/Azores", topic_prefix="island/")
    make_site(name="broken", time_zone="Nowhere/At_All", topic_prefix="broken/")
    connection = make_connection(site=site)
    memory = load_memory(connection.pk)
    assert [str(memory.zone_of(topic)) for topic in ("a/b", "island/x", "broken/x")] == [
        "Asia/Tokyo", "Atlantic/Azores", "Asia/Tokyo",
    ]  # fmt: skip
