"""The overview: what happened just now."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from mqtt.enums import NodeKind
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.database, pytest.mark.usefixtures("valkey")]


def happened(client: Client, viewer: Any) -> list[str]:
    client.force_login(viewer)
    feed = client.get("/").content.decode().split('id="feed"')[1].split("</ol>")[0]
    return [re.sub(r"<[^>]*>", "", line).strip() for line in feed.split("<li>")[1:]]


def lost(connection: Any, count: int, **fields: Any) -> None:
    for number in range(count):
        common = {
            "object_id": number + 1,
            "kind": NodeKind.DATALOGGER,
            "reason": "gateway_offline",
            "label": f"pump {number}",
        }
        factories.make_status_change(connection, "offline", **common | fields)


def test_what_happens_to_many_at_once_for_one_reason_is_one_line(client: Client, viewer: Any) -> None:
    connection, now = factories.make_connection(), timezone.now()
    lost(connection, 4, at=now)
    factories.make_status_change(connection, "offline", kind=NodeKind.GATEWAY, label="hall", reason="said", at=now)
    lost(connection, 1, at=now - timedelta(minutes=1), label="mill")
    lines = happened(client, viewer)
    assert len(lines) == 3
    assert any(line.endswith("and 3 others offline: Its gateway is offline.") for line in lines)
    assert lines[-1].endswith("mill offline: Its gateway is offline.")


def test_of_more_than_are_read_no_number_is_claimed(client: Client, viewer: Any) -> None:
    lost(factories.make_connection(), 121, at=timezone.now())
    assert [line.split("pump")[1].partition(" ")[2].partition(" ")[2] for line in happened(client, viewer)] == [
        "and more than 119 others offline: Its gateway is offline."
    ]


def back_and_forth(connection: Any, times: int, apart: timedelta, **fields: Any) -> None:
    for number in range(times):
        status = "offline" if number % 2 else "online"
        factories.make_status_change(
            connection, status, kind=NodeKind.DATALOGGER, at=timezone.now() - number * apart, **fields
        )


def test_what_goes_back_and_forth_is_one_line_and_buries_nothing(client: Client, viewer: Any) -> None:
    connection = factories.make_connection()
    back_and_forth(connection, 40, timedelta(seconds=8), label="loose plug", object_id=7)
    lost(connection, 1, label="mill", at=timezone.now() - timedelta(minutes=20))
    lines = happened(client, viewer)
    assert len(lines) == 2
    assert "loose plug online" in lines[0]
    assert "40 changes since" in lines[0]
    assert "mill offline" in lines[1]


def test_what_goes_back_and_forth_together_is_one_line_too(client: Client, viewer: Any) -> None:
    connection, now = factories.make_connection(), timezone.now()
    for number in range(8):
        at, status = now - number * timedelta(seconds=40), "offline" if number % 2 else "online"
        for box in (7, 8, 9):
            factories.make_status_change(
                connection, status, kind=NodeKind.DATALOGGER, object_id=box, label=f"box {box}", reason=status, at=at
            )
    lines = happened(client, viewer)
    assert len(lines) == 1
    assert "and 2 others online" in lines[0]
    assert "8 changes since" in lines[0]


def test_what_changes_a_few_times_or_over_hours_is_told_each_time(client: Client, viewer: Any) -> None:
    connection = factories.make_connection()
    back_and_forth(connection, 4, timedelta(seconds=8), label="restarted", object_id=7)
    back_and_forth(connection, 6, timedelta(hours=1), label="nightly", object_id=8)
    lines = happened(client, viewer)
    assert (sum("restarted" in line for line in lines), sum("nightly" in line for line in lines)) == (4, 6)
    assert not any("changes since" in line for line in lines)


def test_what_needs_somebody_comes_before_the_figures_of_the_console(client: Client, viewer: Any) -> None:
    factories.make_connection()
    client.force_login(viewer)
    page = client.get("/").content.decode()
    assert page.index('id="needs"') < page.index('id="pulse"')


def test_who_has_just_installed_it_is_told_how_data_comes(client: Client, viewer: Any) -> None:
    connection = factories.make_connection(status="connected")
    factories.make_lease(connection)
    client.force_login(viewer)
    assert "Let a device publish to one of your brokers" in client.get("/").content.decode()
    connection.status = "silent"
    connection.save(update_fields=["status"])
    page = client.get("/").content.decode()
    assert 'class="k"' in page, "what is silent is listed, and the next step still said"
    assert "Let a device publish to one of your brokers" in page
    connection.status = "connected"
    connection.save(update_fields=["status"])
    factories.make_topic(connection)
    page = client.get("/").content.decode()
    assert "Let a device publish" not in page
    assert "Nothing needs anybody." in page


def test_several_in_trouble_are_told_in_the_readers_grammar(client: Client, viewer: Any) -> None:
    for number, status in enumerate(("error", "error", "disconnected", "disconnected", "silent")):
        factories.make_connection(name=f"broker {number}", status=status)
    client.force_login(viewer)
    italian = client.get("/", headers={"Accept-Language": "it"}).content.decode()
    assert "2 in errore, 2 disconnesse, 1 senza dati" in italian
    assert "2 in error, 2 disconnected, 1 without data" in client.get("/").content.decode()


def test_where_no_process_vouches_for_a_connection_nothing_is_said_to_be_stored(client: Client, viewer: Any) -> None:
    factories.make_connection(leased=False, activity={"message_rate": 11.0, "reading_rate": 49.0})
    client.force_login(viewer)
    for address in ("/", "/connections/"):
        page = client.get(address).content.decode()
        assert "nothing is received" in page
        assert "everything stored" not in page
        assert "49 readings" not in page
