"""Creating, editing, deleting a connection as a person does it, without JavaScript; and its page."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from mqtt.encryption import decrypt, encrypt
from mqtt.enums import NodeKind
from mqtt.models import AuditEntry, ConnectionTest, MqttConnection, TopicSubscription
from tests import factories
from tests.forms.test_connection import filters, posted

pytestmark = [pytest.mark.django_db, pytest.mark.database, pytest.mark.usefixtures("valkey")]


def sent(*rows: str, **fields: Any) -> dict[str, Any]:
    return {**posted(**fields).dict(), **filters(*(rows or ("#",))).dict()}


def test_a_connection_is_created_and_its_test_started(web: Client) -> None:
    answer = web.post("/connections/new/", sent("site/#", "other/+", password="s3cret"))
    connection = MqttConnection.objects.get()
    assert answer["Location"] == f"/connections/{connection.pk}/"
    assert decrypt(connection.password_token) == "s3cret"
    assert [one.topic_filter for one in connection.subscriptions.all()] == ["site/#", "other/+"]
    assert ConnectionTest.objects.filter(connection=connection).exists()
    assert AuditEntry.objects.filter(action="created", kind=NodeKind.CONNECTION).exists()
    page = web.get(answer["Location"]).content.decode()
    assert "Plant is saved." in page
    assert "s3cret" not in page


def test_errors_stand_at_their_fields_and_nothing_is_saved(web: Client) -> None:
    answer = web.post("/connections/new/", sent("a/#", "a/b", host="mqtt://x", password="s3cret"))
    page = answer.content.decode()
    assert answer.status_code == 200
    assert 'id="id_host_error"' in page
    assert 'aria-describedby="id_host_helptext id_host_error"' in page
    assert 'id="id_filters-1-topic_filter_error"' in page
    assert "a/#" in page
    assert "s3cret" not in page
    assert "enter it once more" in page
    assert not MqttConnection.objects.exists()


def test_a_row_for_another_filter_comes_without_javascript(web: Client) -> None:
    page = web.post("/connections/new/", sent("a/#", **{"add-filter": "1"}, host="")).content.decode()
    assert 'name="filters-1-topic_filter"' in page
    assert 'class="errors"' not in page
    assert not MqttConnection.objects.exists()


def test_settings_are_changed_and_a_secret_is_left_alone(web: Client) -> None:
    connection = factories.make_connection(name="Plant", client_id="plant-1", password_token=encrypt("old"))
    web.post(f"/connections/{connection.pk}/edit/", sent(username="ada", password_change="keep"))
    stored = MqttConnection.objects.get()
    assert stored.username == "ada"
    assert decrypt(stored.password_token) == "old"
    assert stored.status == connection.status, "editing must not touch the status"
    assert stored.settings_revision == 2


def test_a_picked_decoder_survives_the_form(web: Client) -> None:
    connection = factories.make_connection(name="Plant", client_id="plant-1", filters=())
    TopicSubscription.objects.create(connection=connection, topic_filter="a", decoder="json", qos=0)
    page = web.get(f"/connections/{connection.pk}/edit/").content.decode()
    assert '<option value="json" selected>' in page
    web.post(f"/connections/{connection.pk}/edit/", {**sent("a"), "filters-0-decoder": "json"})
    assert TopicSubscription.objects.get().decoder == "json"


def test_the_heading_of_a_failed_edit_shows_the_stored_name(web: Client) -> None:
    connection = factories.make_connection(name="Plant", client_id="plant-1")
    page = web.post(f"/connections/{connection.pk}/edit/", sent(name="Other", host="")).content.decode()
    assert "Edit Plant" in page


def test_deleting_says_what_is_lost_and_asks(web: Client) -> None:
    connection = factories.make_connection(activity={"readings_total": 1234567})
    factories.make_sensor(factories.make_datalogger(connection))
    page = web.get(f"/connections/{connection.pk}/delete/").content.decode()
    assert "1,234,567" in page
    assert MqttConnection.objects.exists()
    answer = web.post(f"/connections/{connection.pk}/delete/")
    assert answer["Location"] == "/connections/"
    assert not MqttConnection.objects.exists()
    assert AuditEntry.objects.filter(action="deleted", label=connection.name).exists()


def test_three_truths_stand_apart(web: Client) -> None:
    heard = timezone.now() - timedelta(minutes=14)
    connection = factories.make_connection(status="silent", activity={"last_message_at": heard}, filters=("a/#",))
    TopicSubscription.objects.create(connection=connection, topic_filter="refused", reason="not_enabled")
    TopicSubscription.objects.create(connection=connection, topic_filter="waiting")
    TopicSubscription.objects.create(connection=connection, topic_filter="paused", is_active=False)
    TopicSubscription.objects.create(connection=connection, topic_filter="weaker", qos=1, granted_qos=0)
    page = web.get(f"/connections/{connection.pk}/").content.decode()
    assert 'id="truths" data-status="silent"' in page
    states = [part.split('"')[0] for part in page.split('data-filter="')[1:]]
    assert states == ["granted", "refused", "waiting", "paused", "granted"]
    assert "messages may get lost" in page


def test_nothing_counts_as_subscribed_while_the_link_is_down(web: Client) -> None:
    connection = factories.make_connection(status="disconnected", filters=("a/#",))
    page = web.get(f"/connections/{connection.pk}/").content.decode()
    assert 'data-filter="down"' in page
    assert "granted, QoS" not in page


def test_a_dead_mqtt_process_shows_as_unknown(web: Client) -> None:
    connection = factories.make_connection(leased=False)
    assert 'id="truths" data-status="unknown"' in web.get(f"/connections/{connection.pk}/").content.decode()


def test_the_timeline_says_how_long_each_status_lasted(web: Client) -> None:
    connection = factories.make_connection()
    now = timezone.now()
    factories.make_status_change(connection, "connecting", at=now - timedelta(hours=3))
    factories.make_status_change(connection, "connected", at=now - timedelta(hours=1))
    page = web.get(f"/connections/{connection.pk}/").content.decode()
    assert "for 2 h" in page


def test_who_wants_to_listen_is_offered_what_the_connection_subscribes_to(web: Client) -> None:
    connection = factories.make_connection(filters=("site/+/#", "other"))
    page = web.get(f"/connections/{connection.pk}/tail/").content.decode()
    assert 'href="?filter=site%2F%2B%2F%23">site/+/#</a>' in page
    assert "subscribes to" not in web.get(f"/connections/{connection.pk}/tail/?filter=a").content.decode()


def test_what_goes_back_and_forth_is_one_line_of_the_timeline(web: Client) -> None:
    connection, now = factories.make_connection(), timezone.now()
    factories.make_status_change(connection, "connected", at=now - timedelta(hours=5))
    for number in range(40):
        at, status = now - timedelta(hours=1, seconds=20 * number), "connected" if number % 2 else "disconnected"
        factories.make_status_change(connection, status, at=at)
    factories.make_status_change(connection, "connected", at=now - timedelta(minutes=3))
    timeline = web.get(f"/connections/{connection.pk}/").content.decode().split('id="timeline"')[1].split("</ol>")[0]
    newest, flapping, oldest = timeline.split("<li>")[1:]
    assert "change" not in newest
    assert "40 changes since" in flapping
    assert "for 57 min" in flapping, "the last of them"
    assert "for 3 h" in oldest


def test_a_few_changes_are_lines_of_their_own(web: Client) -> None:
    connection, now = factories.make_connection(), timezone.now()
    for number in range(4):
        factories.make_status_change(connection, "connected", at=now - timedelta(seconds=20 * number))
    for number in range(6):
        factories.make_status_change(connection, "connected", at=now - timedelta(hours=1 + number))
    page = web.get(f"/connections/{connection.pk}/").content.decode()
    assert page.split('id="timeline"')[1].split("</ol>")[0].count("<li>") == 10
    assert "changes since" not in page


@pytest.mark.parametrize("role", ["viewer", "operator", "administrator"])
def test_buttons_are_those_that_the_role_may_press(client: Client, request: pytest.FixtureRequest, role: str) -> None:
    connection = factories.make_connection(status="error")
    client.force_login(request.getfixturevalue(role))
    page = client.get(f"/connections/{connection.pk}/").content.decode().split("<main")[1]
    assert ('data-action="disable"' in page) == (role != "viewer")
    assert ('data-action="retry"' in page) == (role != "viewer")
    assert (f"/connections/{connection.pk}/edit/" in page) == (role == "administrator")


def test_the_page_costs_the_same_queries_with_more_of_everything(
    web: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    connection = factories.make_connection(activity={})
    url = f"/connections/{connection.pk}/"

    def fill() -> None:
        factories.make_sensor(factories.make_datalogger(gateway=factories.make_gateway(connection)))
        factories.make_undecoded(connection)
        factories.make_status_change(connection)
        TopicSubscription.objects.create(connection=connection, topic_filter=f"t/{timezone.now()}")

    fill()
    with django_assert_max_num_queries(60) as one:
        web.get(url)
    fill()
    fill()
    with django_assert_max_num_queries(len(one)):
        web.get(url)
