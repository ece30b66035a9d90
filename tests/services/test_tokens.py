from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from mqtt.models import ApiToken, AuditEntry
from mqtt.services import tokens
from mqtt.services.audit import Actor

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def test_the_secret_is_known_once_and_stored_as_a_hash(viewer: Any) -> None:
    token, secret = tokens.create_token(Actor.of(viewer, "web"), viewer, "grafana")
    assert secret.startswith("vdt_")
    assert secret not in str(ApiToken.objects.values().get())
    assert secret not in str(AuditEntry.objects.values().get())
    assert tokens.authenticate(secret) == token


def test_an_expired_a_revoked_and_a_wrong_token_are_refused(viewer: Any) -> None:
    actor = Actor.of(viewer, "web")
    _, expired = tokens.create_token(actor, viewer, "old", timezone.now() - timedelta(seconds=1))
    token, revoked = tokens.create_token(actor, viewer, "gone")
    tokens.revoke_token(actor, token)
    for secret in (expired, revoked, "", "vdt_wrong", "\0", "é"):
        assert tokens.authenticate(secret) is None


def test_a_token_of_an_inactive_user_is_refused(viewer: Any) -> None:
    _, secret = tokens.create_token(Actor.of(viewer, "web"), viewer, "x")
    viewer.is_active = False
    viewer.save()
    assert tokens.authenticate(secret) is None


def test_the_last_use_is_written_at_most_once_a_minute(viewer: Any) -> None:
    token, secret = tokens.create_token(Actor.of(viewer, "web"), viewer, "x")
    tokens.authenticate(secret)
    token.refresh_from_db()
    first = token.last_used_at
    assert first
    tokens.authenticate(secret)
    token.refresh_from_db()
    assert token.last_used_at == first
    ApiToken.objects.update(last_used_at=first - timedelta(minutes=2))
    tokens.authenticate(secret)
    token.refresh_from_db()
    assert token.last_used_at > first - timedelta(minutes=1)
