"""The panel of a connection test: asked for, watched, explained."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from mqtt.models import ConnectionTest, to_us
from mqtt.pages.connection_test import STEPS
from tests import factories

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
NASTY = '<img src=x onerror="alert(1)">'


@pytest.fixture
def connection() -> Any:
    return factories.make_connection()


@pytest.fixture
def as_operator(client: Client, operator: Any) -> Client:
    client.force_login(operator)
    return client


def step(name: str, state: str, reason: str = "", **context: Any) -> dict[str, Any]:
    return {"name": name, "state": state, "reason": reason, "context": context, "milliseconds": 12}


def panel(client: Client, connection: Any) -> str:
    response = client.get(f"/connections/{connection.pk}/test/", headers=HTMX)
    assert response.status_code == 200
    return response.content.decode()


def made(connection: Any, state: str, *steps: dict[str, Any], ago: float = 0) -> ConnectionTest:
    test = ConnectionTest.objects.create(connection=connection, state=state, steps=list(steps))
    ConnectionTest.objects.filter(pk=test.pk).update(requested_at=timezone.now() - timedelta(seconds=ago))
    return test


def test_the_button_asks_for_a_test_and_is_answered_with_the_panel(as_operator: Client, connection: Any) -> None:
    response = as_operator.post(f"/connections/{connection.pk}/test/", headers=HTMX)
    html = response.content.decode()
    assert html.startswith('<section class="panel" id="test" data-verdict="waiting"')
    assert ConnectionTest.objects.get().state == "queued"
    assert 'hx-trigger="load delay:1s"' in html


def test_without_javascript_the_button_leads_back_to_the_page(as_operator: Client, connection: Any) -> None:
    response = as_operator.post(f"/connections/{connection.pk}/test/")
    assert response.headers["Location"] == f"/connections/{connection.pk}/#test"
    assert 'data-verdict="waiting"' in as_operator.get(f"/connections/{connection.pk}/").content.decode()


def test_a_viewer_sees_the_panel_and_may_not_start_a_test(client: Client, viewer: Any, connection: Any) -> None:
    client.force_login(viewer)
    assert 'data-action="test"' not in panel(client, connection)
    assert client.post(f"/connections/{connection.pk}/test/", headers=HTMX).status_code == 403
    assert not ConnectionTest.objects.exists()


def test_who_may_see_nothing_gets_nothing(client: Client, stranger: Any, connection: Any) -> None:
    url = f"/connections/{connection.pk}/test/"
    assert "HX-Redirect" in client.get(url, headers=HTMX).headers, "the whole page moves to the login"
    client.force_login(stranger)
    assert client.get(url, headers=HTMX).status_code == 403
    assert client.post(url).status_code == 403


def test_a_test_that_nobody_takes_up_says_what_to_start(as_operator: Client, connection: Any) -> None:
    made(connection, "queued", ago=6)
    html = panel(as_operator, connection)
    assert 'data-verdict="nobody"' in html
    assert "manage.py run_mqtt" in html


def test_a_test_whose_process_died_can_be_started_again(as_operator: Client, connection: Any) -> None:
    made(connection, "running", step("name", "running"), ago=90)
    html = panel(as_operator, connection)
    assert 'data-verdict="abandoned"' in html
    assert "hx-trigger" not in html
    assert "disabled" not in html
    as_operator.post(f"/connections/{connection.pk}/test/", headers=HTMX)
    assert ConnectionTest.objects.count() == 2


def test_a_good_test_says_how_old_the_first_message_is_and_counts_devices(as_operator: Client, connection: Any) -> None:
    heard = timezone.now() - timedelta(seconds=3)
    facts = {"seconds": "0.4", "topic": "a/b", "devices": 4, "values": 9, "messages": 20}
    made(connection, "done", step("message", "ok", "test_message_ok", received_us=to_us(heard), **facts))
    html = panel(as_operator, connection)
    assert 'data-verdict="good"' in html
    assert "4 devices found." in html
    assert heard.isoformat(timespec="milliseconds")[:19] in html
    assert "hx-trigger" not in html


def test_facts_from_brokers_and_certificates_show_as_text(as_operator: Client, connection: Any) -> None:
    wrong = step("tls", "failed", "test_tls_wrong_name", host="b", names=NASTY)
    refused = step("subscribe", "failed", "filter_unsupported", filter=NASTY, detail=NASTY)
    made(connection, "failed", wrong, refused, step("message", "waiting"))
    html = panel(as_operator, connection)
    assert NASTY not in html
    assert html.count("&lt;img") == 3
    assert "not tried" in html


def test_long_steps_are_told_in_seconds(as_operator: Client, connection: Any) -> None:
    made(connection, "done", {**step("message", "ok", "test_message_none", seconds=3), "milliseconds": 2213})
    assert "2.2 s" in panel(as_operator, connection)


def test_dates_are_written_in_the_readers_language(as_operator: Client, connection: Any) -> None:
    made(connection, "failed", step("tls", "failed", "test_tls_expired", expired_on="2026-11-21"))
    assert "Nov. 21, 2026" in panel(as_operator, connection)
    as_operator.cookies["django_language"] = "it"
    assert "21 Novembre 2026" in panel(as_operator, connection)


def test_the_page_holds_exactly_the_panel_that_is_pushed(as_operator: Client, operator: Any, connection: Any) -> None:
    made(connection, "failed", step("name", "failed", "dns_unknown", host="x"))
    page = as_operator.get(f"/connections/{connection.pk}/").content.decode()
    assert panel(as_operator, connection) in page


def test_every_step_has_a_name_for_people() -> None:
    from mqtt.services.connection_tester.walk import PATIENCE  # ingest code stays out of the module's imports

    assert set(PATIENCE) == set(STEPS)


def test_a_viewer_is_told_about_no_button_that_is_not_there(client: Client, viewer: Any, connection: Any) -> None:
    client.force_login(viewer)
    html = panel(client, connection)
    assert "Nobody has tested this connection yet." in html
    assert "<button" not in html
