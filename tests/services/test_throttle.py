from typing import Any

import pytest
from django.test import RequestFactory

from mqtt.services import throttle
from mqtt.views.login_form import ThrottledLoginForm


@pytest.fixture(autouse=True)
def _fresh() -> Any:
    throttle.forget_everything()
    yield
    throttle.forget_everything()


def form(username: str, password: str, address: str = "192.0.2.7") -> ThrottledLoginForm:
    request = RequestFactory().post("/login/", REMOTE_ADDR=address)
    return ThrottledLoginForm(request, {"username": username, "password": password})


@pytest.mark.django_db
def test_after_five_wrong_passwords_even_the_right_one_waits_and_the_page_says_how_long(viewer: Any) -> None:
    for _ in range(5):
        assert "correct username" in str(form("viewer", "wrong").errors)
    refused = form("viewer", "viewer-password")
    assert not refused.is_valid()
    assert "Try again in 5 minutes" in str(refused.errors)


@pytest.mark.django_db
def test_somebody_elsewhere_cannot_lock_the_owner_out(viewer: Any) -> None:
    for _ in range(8):
        form("viewer", "wrong", "198.51.100.1").is_valid()
    assert form("viewer", "viewer-password").is_valid()


@pytest.mark.django_db
def test_a_success_forgets_the_failures_before_it(viewer: Any) -> None:
    for _ in range(3):
        for _ in range(4):
            form("viewer", "wrong").is_valid()
        assert form("viewer", "viewer-password").is_valid()


@pytest.mark.django_db
def test_an_empty_password_does_not_forgive_the_wrong_ones(viewer: Any) -> None:
    for password in ["wrong", "wrong", "", "wrong", "wrong", "", "wrong"]:
        assert not form("viewer", password).is_valid()
    assert "Try again" in str(form("viewer", "viewer-password").errors)


def test_a_try_counts_before_it_is_decided() -> None:
    for _ in range(5):
        throttle.login_begins("ada", "192.0.2.8")
    assert throttle.login_wait("ada", "192.0.2.8") > 0


def test_a_success_forgives_itself_only() -> None:
    for number in range(29):
        throttle.login_begins(f"name{number}", "192.0.2.9")
    throttle.login_begins("ada", "192.0.2.9")
    throttle.login_succeeded("ada", "192.0.2.9")
    assert throttle.login_wait("ada", "192.0.2.9") == 0
    throttle.login_begins("name29", "192.0.2.9")
    assert throttle.login_wait("ada", "192.0.2.9") > 0


def test_the_addresses_of_one_ipv6_network_count_as_one() -> None:
    for number in range(5):
        throttle.login_begins("ada", f"2001:db8:1:2::{number}")
    assert throttle.login_wait("ada", "2001:db8:1:2:ffff::1") > 0
    assert throttle.login_wait("ada", "2001:db8:1:3::1") == 0
    assert throttle.network_of("::ffff:192.0.2.1") == throttle.network_of("192.0.2.1") == "192.0.2.1"


def test_one_address_cannot_try_many_names() -> None:
    for number in range(30):
        throttle.login_begins(f"name{number}", "192.0.2.9")
    assert throttle.login_wait("another", "192.0.2.9") > 0
    assert throttle.login_wait("another", "192.0.2.10") == 0


def test_old_failures_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(5):
        throttle.login_begins("a", "b")
    assert throttle.login_wait("a", "b") > 0
    now = throttle.time.monotonic()
    monkeypatch.setattr(throttle.time, "monotonic", lambda: now + throttle.WINDOW + 1)
    assert throttle.login_wait("a", "b") == 0


def test_memory_stays_bounded_whatever_names_are_tried() -> None:
    for number in range(throttle.REMEMBERED + 100):
        throttle.login_begins("x" * 1000 + str(number), f"10.0.{number // 250}.{number % 250}")
    assert len(throttle._failures._times) == throttle.REMEMBERED
