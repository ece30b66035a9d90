"""What the tests of the pages share."""

import pytest
from django.contrib.auth.models import User
from django.test import Client


@pytest.fixture
def web(client: Client, administrator: User) -> Client:
    """The client of somebody who may do everything."""
    client.force_login(administrator)
    return client


def body(web: Client, url: str, status: int = 200) -> str:
    """What a page shows below the bar and beside the menu."""
    answer = web.get(url)
    assert answer.status_code == status
    return answer.content.decode().split("<main")[1]
