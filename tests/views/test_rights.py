"""One table of rights, walked over every page with every role: a new URL fails here until somebody decides about it."""

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client

from tests.views.test_urls import ALL, OPEN, OWN_ACCOUNT, OWN_TOKENS, things, url_of

__all__ = ["things"]
pytestmark = pytest.mark.django_db

RANK = {"viewer": 0, "operator": 1, "administrator": 2}
LEAST = {
    "viewer": """
        audit-list command-detail command-list connection-detail connection-list datalogger-detail datalogger-export
        datalogger-list device-list device-list-file gateway-detail gateway-list health mapping-list overview search
        sensor-detail sensor-export sensor-list site-detail site-list topic-detail topic-list topic-tree
        undecoded-detail undecoded-list
    """,
    "operator": """
        connection-disable connection-enable connection-note connection-publish connection-resubscribe connection-retry
        connection-tail connection-test datalogger-accept datalogger-note dataloggers-accept gateway-accept gateway-note
        gateways-accept note-change sensor-note site-note topic-purge undecoded-again
    """,
    "administrator": """
        alias-release clock-confirm connection-create connection-delete connection-edit correction-delete
        datalogger-care datalogger-delete datalogger-edit datalogger-merge datalogger-replace device-list-upload
        gateway-care gateway-delete gateway-edit gateway-merge gateway-replace mapping-create mapping-delete
        mapping-edit note-remove sensor-care sensor-correction-create sensor-delete sensor-edit sensor-merge
        site-create site-delete site-edit topics-ignore
    """,
}
"""The least role that may do what stands under a URL's name."""
OTHERWISE = {("note-change", "operator", "post")}
"""An operator changes what they wrote themselves, and the note of this walk is somebody else's."""

READ_BY_ALL = {"connection-test": {"get"}}
"""Its address leads back to the connection, for who loads the page of a test again."""


def test_every_page_stands_in_the_table_once() -> None:
    assert sorted(name for names in LEAST.values() for name in names.split()) == sorted(
        set(ALL) - OPEN - OWN_ACCOUNT - OWN_TOKENS
    )


@pytest.mark.parametrize("role", RANK)
def test_every_page_is_open_to_its_role_and_to_no_lesser(
    client: Client, request: pytest.FixtureRequest, things: dict[str, int], role: str
) -> None:
    user: User = request.getfixturevalue(role)
    client.force_login(user)
    wrong = []
    for least, names in LEAST.items():
        may = RANK[role] >= RANK[least]
        for name in names.split():
            codes = {}
            for method in ("get", "post"):
                with transaction.atomic():  # what one call deletes is there for the next
                    codes[method] = getattr(client, method)(url_of(name, things)).status_code
                    transaction.set_rollback(True)
            refused = {method for method, code in codes.items() if code == 403}
            done = {method for method, code in codes.items() if code in {200, 302}}
            if may:
                is_right = done and all((name, role, method) in OTHERWISE for method in refused)
            else:
                odd = {method for method, code in codes.items() if code not in {403, 405}}
                is_right = refused and odd <= READ_BY_ALL.get(name, set())
            if not is_right:
                wrong.append((name, codes))
    assert not wrong
