"""What the next mqtt process in the same folder does with the connections of one that died."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from mqtt.models import ConnectionLease, MqttWorker
from mqtt.services.holding import former
from mqtt.services.holding.former import Former
from mqtt.services.holding.leases import Leases
from mqtt.services.holding.shares import Shares
from tests.factories import make_connection

pytestmark = [pytest.mark.django_db, pytest.mark.database]


Begin = Callable[[str], Former]


def hold(holder: str) -> int:
    connection = make_connection(leased=False)
    assert Leases(holder).acquire(connection.pk)
    Shares(holder).beat()
    return connection.pk


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    """Processes in one folder; `close` is what the end of one does to its lock, whatever ended it."""
    with ExitStack() as begun:

        def one(holder: str) -> Former:
            process = Former(tmp_path / "mqtt.holder", holder)
            begun.callback(process.close)
            return process

        yield one


def test_what_a_dead_process_held_is_free_at_once(begin: Begin) -> None:
    dead, other = hold("dead 1"), hold("other 1")
    begin("dead 1").close()
    begin("next 1").bury()
    assert Leases("next 1").acquire(dead)
    assert not Leases("next 1").acquire(other)
    assert list(MqttWorker.objects.values_list("holder", flat=True)) == ["other 1"]


def test_who_lives_keeps_what_it_holds_and_stays_known_to_those_after_it(begin: Begin) -> None:
    pk = hold("alive 1")
    alive = begin("alive 1")
    begin("beside 1").bury()
    assert ConnectionLease.objects.get(pk=pk).holder == "alive 1"
    alive.close()
    begin("next 1").bury()
    assert Leases("next 1").acquire(pk)


def test_a_copy_of_the_folder_on_another_computer_takes_nothing(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pk = hold("far 1")
    begin("far 1").close()
    boot = tmp_path / "boot_id"
    boot.write_text("another\n")
    monkeypatch.setattr(former, "BOOT_ID", boot)
    begin("next 1").bury()
    assert ConnectionLease.objects.get(pk=pk).holder == "far 1"


def test_where_nothing_can_be_written_leases_run_out_by_themselves(tmp_path: Path) -> None:
    Former(tmp_path / "missing" / "mqtt.holder", "one 1").bury()
    Former(None, "one 1").bury()
