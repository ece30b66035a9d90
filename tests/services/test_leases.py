"""Leases between processes, by the database's clock."""

import threading
from datetime import timedelta

import pytest
from django.db import connection as database
from django.db import transaction
from django.utils import timezone

from mqtt.models import ConnectionLease, MqttConnection
from mqtt.services.holding.leases import Leases, locked_leases, new_holder
from tests.factories import make_connection, make_lease
from tests.servers import PATIENCE, wait_for

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def free_connection() -> MqttConnection:
    return make_connection(leased=False)


def test_only_one_process_gets_a_connection() -> None:
    connection = free_connection()
    one, two = Leases(new_holder("one")), Leases(new_holder("two"))
    assert one.acquire(connection.pk)
    assert not two.acquire(connection.pk)
    assert set(one.tokens()) == {connection.pk}
    assert not two.tokens()
    lease = ConnectionLease.objects.get()
    assert lease.holder.startswith("one ")
    assert timedelta(seconds=7) < lease.expires_at - timezone.now() < timedelta(seconds=11)


def test_a_lease_that_ran_out_goes_to_the_next_with_another_token() -> None:
    connection = free_connection()
    one, two = Leases("one"), Leases("two")
    one.acquire(connection.pk)
    ConnectionLease.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert two.acquire(connection.pk)
    assert one.tokens()[connection.pk] != two.tokens()[connection.pk]
    assert one.renew() == {connection.pk}
    assert not one.tokens()
    assert two.renew() == set()


def test_a_lease_from_before_the_clock_was_set_back_holds_nobody_up() -> None:
    connection = free_connection()
    one, two = Leases("one"), Leases("two")
    one.acquire(connection.pk)
    ConnectionLease.objects.update(expires_at=timezone.now() + timedelta(days=30))
    assert two.acquire(connection.pk)
    assert one.renew() == {connection.pk}
    assert ConnectionLease.objects.get().expires_at < timezone.now() + timedelta(seconds=11)


def test_a_lease_that_ran_out_and_was_not_taken_can_be_renewed() -> None:
    connection = free_connection()
    one = Leases("one")
    one.acquire(connection.pk)
    token = one.tokens()[connection.pk]
    ConnectionLease.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert one.renew() == set()
    lease = ConnectionLease.objects.get()
    assert (lease.token, lease.expires_at > timezone.now()) == (token, True)


def test_a_released_connection_is_free_at_once_and_keeps_what_is_known_of_its_session() -> None:
    connection = free_connection()
    one, two = Leases("one"), Leases("two")
    one.acquire(connection.pk)
    ConnectionLease.objects.update(session_open=True, session_filters=["a/#"], session_client_id="kept")
    one.release([connection.pk])
    assert not one.tokens()
    assert two.acquire(connection.pk)
    lease = ConnectionLease.objects.get()
    assert (lease.session_open, lease.session_filters, lease.session_client_id) == (True, ["a/#"], "kept")


@pytest.mark.django_db(transaction=True)  # databases look at foreign keys when a transaction ends
def test_a_deleted_connection_cannot_be_taken() -> None:
    assert not Leases("one").acquire(999_999)


def test_a_live_lease_of_somebody_else_is_not_renewed_by_us() -> None:
    connection = make_connection()
    make_lease(connection, seconds=5)
    one = Leases("one")
    assert not one.acquire(connection.pk)
    assert one.renew() == set()


def test_two_processes_of_one_name_are_told_apart() -> None:
    assert new_holder("same") != new_holder("same")
    assert len(new_holder("x" * 500)) <= 120


@pytest.mark.django_db(transaction=True)
def test_renewing_and_a_batch_never_wait_for_each_other() -> None:
    if database.vendor == "sqlite":
        return  # has one writer at a time
    leases, low, high = Leases("one"), free_connection(), free_connection()
    for one in (high, low):  # on disk they lie the other way round
        leases.acquire(one.pk)
    lost: list[set[int]] = []

    def renew() -> None:
        lost.append(leases.renew())
        database.close()

    thread = threading.Thread(target=renew)
    with transaction.atomic():
        locked_leases([low.pk])
        thread.start()
        wait_for(_somebody_waits, what="the renewal, which waits for the batch")
        assert set(locked_leases([high.pk])) == {high.pk}
    thread.join(PATIENCE)
    assert lost == [set()]


def _somebody_waits() -> bool:
    with database.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])
