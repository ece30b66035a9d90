from typing import Any

import pytest
from rest_framework.test import APIClient

from mqtt.api import throttling
from mqtt.models import ApiToken
from mqtt.services import throttle


@pytest.fixture(autouse=True)
def _fresh_throttle() -> None:
    throttle.forget_everything()
    throttling.forget_everything()


def client_of(user: Any) -> APIClient:
    """A program with a token of this user; errors come back as answers, as over the wire."""
    secret = ApiToken.new_secret()
    ApiToken.objects.create(user=user, name="test", digest=ApiToken.digest_of(secret))
    client = APIClient(raise_request_exception=False)
    client.default_format = "json"
    client.credentials(HTTP_AUTHORIZATION=f"Token {secret}")
    client.get("/api/v1/mqtt/connections/")  # the first use writes last_used_at
    return client


@pytest.fixture
def api(administrator: Any) -> APIClient:
    return client_of(administrator)


@pytest.fixture
def looking(viewer: Any) -> APIClient:
    return client_of(viewer)


@pytest.fixture
def operating(operator: Any) -> APIClient:
    return client_of(operator)
