import pytest

from mqtt.models import ConnectionRhythm
from mqtt.rhythm import SILENCE_LATE
from mqtt.services.sessions.silence import SILENT_AFTER, ConnectionGaps
from tests.factories import make_connection

pytestmark = [pytest.mark.database, pytest.mark.django_db]

START_US = 1_780_000_000_000_000
DAY = 86400


def hear(gaps: ConnectionGaps, times: int, every: float, start_us: int = START_US) -> int:
    for _ in range(times):
        start_us += int(every * 1e6)
        gaps.add(every, start_us)
    return start_us


def test_a_connection_of_which_nothing_is_known_is_silent_after_five_minutes() -> None:
    gaps = ConnectionGaps(1)
    assert gaps.silence(SILENT_AFTER) is None
    reason = gaps.silence(SILENT_AFTER + 1)
    assert reason
    assert (reason.code, reason.context) == ("silent", {"silence_seconds": 301})


@pytest.mark.parametrize(("every", "silent_after"), [(1.2, 120), (60, 180), (900, 2700)])
def test_then_the_rule_of_the_devices_holds(every: float, silent_after: float) -> None:
    gaps = ConnectionGaps(1)
    hear(gaps, 25, every)
    assert gaps.silence(silent_after) is None
    reason = gaps.silence(silent_after + 5)
    assert reason
    assert reason.code == "silent_usually"
    assert reason.context == {"silence_seconds": silent_after + 5, "interval_seconds": every}


def test_a_connection_whose_devices_sleep_at_night_is_not_silent_then() -> None:
    gaps, now = ConnectionGaps(1), START_US
    for _ in range(4):
        now = hear(gaps, 56, 900, now)
        now = hear(gaps, 1, DAY - 56 * 900, now)
    assert gaps.silence(SILENCE_LATE * 36000) is None
    assert gaps.silence(DAY) is not None


def test_what_was_learned_goes_to_the_next_holder() -> None:
    connection = make_connection()
    first = ConnectionGaps(connection.pk)
    first.write()
    assert not ConnectionRhythm.objects.exists(), "nothing to say yet"
    hear(first, 25, 60)
    first.write()
    assert ConnectionRhythm.objects.get().expectation.interval == 60
    second = ConnectionGaps(connection.pk)
    second.read()
    assert second.silence(181) is not None
    hear(second, 100, 600)
    second.write()
    assert ConnectionRhythm.objects.get().expectation.interval == 600


def test_a_connection_deleted_meanwhile_is_no_error() -> None:
    connection = make_connection()
    gaps = ConnectionGaps(connection.pk)
    hear(gaps, 25, 60)
    connection.delete()
    gaps.write()
    assert not ConnectionRhythm.objects.exists()
