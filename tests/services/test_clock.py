"""Whether this computer's clock can be believed, and what rests while it cannot."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from mqtt import alerts
from mqtt.enums import ReadingFlag
from mqtt.messages import InboundMessage
from mqtt.models import AuditEntry, ClockMark, Command, ConnectionActivity, Reading, from_us, to_us
from mqtt.services import clock, health, pressure
from mqtt.services.clock import Doubt
from mqtt.services.disk import Disk
from mqtt.services.jobs import disk_care, periodic, rollups
from mqtt.services.pipeline import clock_watch
from mqtt.services.pipeline.clock_watch import AGREE_SECONDS, ClockWatch, most_say
from mqtt.services.pipeline.message_processor import MessageProcessor
from mqtt.services.pressure import ProcessPressure
from tests import factories
from tests.servers import wait_for
from tests.services.mqtt_processes import Start

pytestmark = [pytest.mark.django_db, pytest.mark.database]

HOUR = 3600.0


class Bench:
    """A watch whose clock is set by hand; `hear` is a batch with each device's own time less the receipt (s)."""

    def __init__(self) -> None:
        self.time = time.time()
        self.monotonic = 1000.0
        self.watch = ClockWatch(lambda: self.time, lambda: self.monotonic)

    def wait(self, seconds: float) -> None:
        self.time += seconds
        self.monotonic += seconds

    def hear(self, *offsets: float) -> None:
        self.wait(2)
        self.watch.take(int(self.time * 1e6), lambda: {pk: int(off * 1e6) for pk, off in enumerate(offsets)})
        self.watch.look()

    def hear_long(self, *offsets: float) -> Doubt | None:
        for _ in range(8):
            self.hear(*offsets)
        return self.watch.doubt


@pytest.fixture
def bench() -> Bench:
    return Bench()


@given(st.lists(st.floats(-1e9, 1e9), max_size=30))
def test_what_most_devices_say_is_said_by_most_of_them(offsets: list[float]) -> None:
    said = most_say(offsets)
    if said is not None:
        near = [one for one in offsets if abs(one - said) <= AGREE_SECONDS]
        assert said in offsets
        assert len(near) >= clock_watch.LEAST_DEVICES
        assert 2 * len(near) > len(offsets)


@pytest.mark.parametrize(
    ("offsets", "doubt"),
    [
        ((130.0, 125.0, 140.0), 130.0),
        ((-3 * HOUR, -3 * HOUR + 5, -3 * HOUR - 5, 0.0, 9.0), -3 * HOUR),
        ((90.0, 90.0, 90.0), None),  # not far enough
        ((-HOUR, -HOUR, -HOUR), None),  # they only send late
        ((HOUR, HOUR), None),  # too few
        ((HOUR, HOUR, HOUR, 0.0, 1.0, 2.0), None),  # half of them
        ((HOUR, 2 * HOUR, 3 * HOUR, 4 * HOUR), None),  # each another time
    ],
)
def test_the_clock_is_doubted_when_most_devices_say_the_same_other_time(
    bench: Bench, offsets: tuple[float, ...], doubt: float | None
) -> None:
    found = bench.hear_long(*offsets)
    assert found == (None if doubt is None else Doubt("devices", pytest.approx(doubt)))
    bench.hear(0.0, 0.0, 0.0, 0.0, 0.0)  # one message is no proof of the contrary either
    assert bench.watch.doubt == found


def test_devices_that_catch_up_and_devices_without_a_time_prove_nothing(bench: Bench) -> None:
    for number in range(60):  # three hours of kept readings in two minutes
        age = -3 * HOUR + number * 180
        bench.hear(age, age + 1, age + 2)
    assert bench.watch.doubt is None
    assert bench.hear_long(-100e6, -100e6, -100e6) is None  # 2023: never set since the power cut


def test_a_clock_that_is_set_right_is_believed_at_once_and_later_proof_counts(bench: Bench) -> None:
    assert bench.hear_long(HOUR, HOUR, HOUR) == Doubt("devices", HOUR)
    bench.time += HOUR
    bench.watch.look()
    assert bench.watch.doubt is None
    assert bench.hear_long(-5 * HOUR, -5 * HOUR, -5 * HOUR) == Doubt("devices", -5 * HOUR)
    bench.hear_long(0.0, 0.0, 0.0)
    assert bench.watch.doubt is None


def test_a_clock_that_was_set_back_while_nothing_ran_is_noticed_at_the_next_start(bench: Bench) -> None:
    bench.hear(0.0)
    bench.wait(60)
    bench.hear(0.0)
    newest = ClockMark.objects.get().newest_received_at
    assert newest.timestamp() == pytest.approx(bench.time)
    bench.time -= 30
    again = ClockWatch(lambda: bench.time, lambda: 5.0)
    again.look()
    assert again.doubt is None
    bench.time -= 2 * 86400
    again = ClockWatch(lambda: bench.time, lambda: 5.0)
    again.look()
    assert again.doubt is not None
    assert again.doubt.reason == "mark"
    assert again.lead_us == pytest.approx((2 * 86400 + 30) * 1e6, abs=1e6)
    again.take(int(bench.time * 1e6), dict)
    again.look()
    assert ClockMark.objects.get().newest_received_at == newest


def test_the_mark_of_an_older_version_is_what_connections_last_heard() -> None:
    heard = timezone.now() + timedelta(hours=5)
    ConnectionActivity.objects.create(connection=factories.make_connection(), last_message_at=heard)
    assert clock.mark(timezone.now()).newest_received_at == heard
    found = clock.doubt()
    assert found
    assert found.reason == "mark"


def test_own_times_reach_the_watch_through_the_pipeline_and_stay_while_the_clock_is_behind(valkey: Any) -> None:
    plant = factories.make_connection()
    processor = MessageProcessor()
    bench = Bench()
    processor.clock = bench.watch
    ahead = 3 * 86400.0

    def say(**fields: Any) -> None:
        now_us = int(bench.time * 1e6)
        own = from_us(now_us + int(ahead * 1e6)).isoformat()
        batch = [
            InboundMessage(
                plant.pk,
                f"hall/m{number}/power",
                f'{{"time": "{own}", "value": 1}}'.encode(),
                1,
                False,
                now_us,
                **fields,
            )
            for number in range(4)
        ]
        processor.process(batch, {plant.pk: plant.lease.token})

    for fields in ({"queued": True}, {"dup": True}, {}):
        assert bench.watch.doubt is None
        for _ in range(7):
            bench.wait(2)
            say(**fields)
            bench.watch.look()
    assert bench.watch.doubt == Doubt("devices", pytest.approx(ahead))
    before = bench.time
    assert not Reading.objects.earliest("received_at").flags & ReadingFlag.OWN_TIME  # not believed so far
    bench.wait(2)
    say()
    new = Reading.objects.filter(received_at__gt=from_us(int((before + 1) * 1e6)))
    assert len(new) == 4
    assert {one.flags & ReadingFlag.OWN_TIME for one in new} == {ReadingFlag.OWN_TIME}
    assert min(to_us(one.time) for one in new) == pytest.approx((bench.time + ahead) * 1e6)


def doubted() -> None:
    now = timezone.now()
    ClockMark.objects.update_or_create(pk=1, defaults={"newest_received_at": now, "off_seconds": HOUR})


def test_nothing_is_deleted_for_its_age_while_the_clock_is_in_doubt(settings: Any) -> None:
    sensor = factories.make_sensor()
    for days in (1, 100):
        factories.make_reading(sensor, time=timezone.now() - timedelta(days=days))
    doubted()
    with pytest.raises(CommandError, match=r"Most devices say that it is 60 min later.*--despite-clock"):
        call_command("prune_readings")
    full = Disk(settings.DATA_DIR, 1000, 1, 0, holds_database=True)
    assert disk_care.care(timezone.now(), full) == 0
    Command.objects.all().delete()
    assert "commands" not in periodic.run_due()
    assert Reading.objects.count() == 2
    rollups.roll_up(timezone.now() + timedelta(hours=2))
    call_command("prune_readings", "--older-than", "90d", "--despite-clock")
    assert Reading.objects.count() == 1
    found = next(one for one in health.check_health().checks if one.name == "clock")
    assert found.state.name == "DEGRADED"


def test_an_administrator_says_that_the_clock_is_right(client: Client, operator: Any, administrator: Any) -> None:
    bench = Bench()
    bench.hear_long(HOUR, HOUR, HOUR)
    client.force_login(operator)
    page = client.get("/health/").content.decode()
    assert "an administrator can say so here" in page
    assert "clock-confirm" not in page
    assert client.post("/health/clock/").status_code == 403
    client.force_login(administrator)
    assert 'data-action="clock-confirm"' in client.get("/health/").content.decode()
    assert client.post("/health/clock/").status_code == 302
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.label, entry.details) == (
        "clock_confirmed", "Vedetta", {"reason": "devices", "seconds": 3600},
    )  # fmt: skip
    assert "said that the clock is right" in client.get("/audit/").content.decode()
    assert clock.doubt() is None
    assert bench.hear_long(HOUR + 20, HOUR + 20, HOUR + 20) is None  # the devices' own mistake, which was accepted
    assert bench.hear_long(2 * HOUR, 2 * HOUR, 2 * HOUR) == Doubt("devices", 2 * HOUR)
    ClockMark.objects.update(off_seconds=None, newest_received_at=timezone.now() + timedelta(days=400))
    assert clock.doubt()
    client.post("/health/clock/")
    assert clock.doubt() is None
    client.post("/health/clock/")
    assert AuditEntry.objects.count() == 2


@pytest.mark.parametrize(
    ("reason", "seconds", "words"),
    [
        ("mark", 7230.0, "It is 2 h before the newest message that was stored."),
        ("devices", 300.0, "Most devices say that it is 5 min later."),
        ("devices", -86400.0 * 9, "Most devices say that it is 9 d earlier."),
    ],
)
def test_every_page_says_it(reason: str, seconds: float, words: str) -> None:
    found = alerts.of([ProcessPressure(name="one", at=0, clock_doubt=reason, clock_behind_seconds=seconds)])
    assert [(one.code, one.tone, one.clock) for one in found] == [("clock_wrong", "bad", words)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("valkey")
def test_a_real_process_says_it_on_every_page(start: Start, client: Client, viewer: Any) -> None:
    ClockMark.objects.create(pk=1, newest_received_at=timezone.now() + timedelta(hours=3))
    start("one")

    def page() -> str:
        pressure._kept = (0.0, "", None)
        return client.get("/account/").content.decode()

    client.force_login(viewer)
    wait_for(lambda: 'data-alert="clock_wrong"' in page(), what="the banner")
    assert "3 h before the newest message" in page()
    assert "vedetta_mqtt_process_clock_behind_seconds" in client.get("/metrics").content.decode()
