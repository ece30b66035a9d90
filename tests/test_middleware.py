"""What is believed of the headers that proxies add."""

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from app.middleware import TrustedProxyMiddleware

PROXY = "10.0.0.5"
NAMED = {"HTTP_X_FORWARDED_FOR": "192.0.2.7", "HTTP_X_FORWARDED_PROTO": "https", "HTTP_X_FORWARDED_HOST": "evil.test"}


def seen(**headers: str) -> dict[str, Any]:
    """What views are given of a request with these headers."""
    arrived: list[HttpRequest] = []

    def view(request: HttpRequest) -> HttpResponse:
        arrived.append(request)
        return HttpResponse()

    TrustedProxyMiddleware(view)(RequestFactory().get("/", **headers))  # type: ignore[arg-type]
    return arrived[0].META


@pytest.fixture(autouse=True)
def _one_proxy(settings: Any) -> None:
    settings.TRUSTED_PROXIES = [PROXY]


def test_the_clients_address_is_the_one_that_the_proxy_added_and_none_that_the_client_wrote() -> None:
    meta = seen(REMOTE_ADDR=PROXY, HTTP_X_FORWARDED_FOR="127.0.0.1, 203.0.113.9,  192.0.2.7")
    assert (meta["REMOTE_ADDR"], meta["vedetta.is_forwarded"]) == ("192.0.2.7", True)


@pytest.mark.parametrize("said", [{}, {"HTTP_X_FORWARDED_FOR": ""}, {"HTTP_X_FORWARDED_FOR": "192.0.2.7, "}])
def test_a_proxy_that_names_nobody_is_itself_the_client(said: dict[str, str]) -> None:
    meta = seen(REMOTE_ADDR=PROXY, **said)
    assert (meta["REMOTE_ADDR"], meta["vedetta.is_forwarded"]) == (PROXY, True)


def test_headers_of_anybody_else_are_dropped_and_the_request_is_known_as_forwarded() -> None:
    meta = seen(REMOTE_ADDR="10.0.0.6", **NAMED)
    assert (meta["REMOTE_ADDR"], meta["vedetta.is_forwarded"]) == ("10.0.0.6", True)
    assert not NAMED.keys() & meta.keys()
    assert seen(REMOTE_ADDR="10.0.0.6")["vedetta.is_forwarded"] is False


def test_headers_of_the_named_proxy_reach_the_views() -> None:
    assert NAMED.items() <= seen(REMOTE_ADDR=PROXY, **NAMED).items()
