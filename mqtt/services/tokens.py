"""API tokens: made once, kept as a hash, refused when expired or revoked."""

from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from mqtt.enums import AuditAction, NodeKind
from mqtt.models import ApiToken
from mqtt.services.audit import Actor, record

USE_RESOLUTION = timedelta(minutes=1)
"""`last_used_at` is written at most this often: a program that asks every second must not write every second."""


def create_token(actor: Actor, user: User, name: str, expires_at: datetime | None = None) -> tuple[ApiToken, str]:
    """A new token and its secret, which is not stored and can be shown only now."""
    secret = ApiToken.new_secret()
    with transaction.atomic():
        token = ApiToken.objects.create(user=user, name=name, digest=ApiToken.digest_of(secret), expires_at=expires_at)
        record(actor, AuditAction.CREATED, NodeKind.TOKEN, token, {"user": user.get_username()})
    return token, secret


def revoke_token(actor: Actor, token: ApiToken) -> None:
    """End a token: the next request that shows it is refused."""
    with transaction.atomic():
        record(actor, AuditAction.REVOKED, NodeKind.TOKEN, token, {"user": token.user.get_username()})
        token.delete()


def authenticate(secret: str) -> ApiToken | None:
    """The live token of a secret, of an active user; None for everything else."""
    now = timezone.now()
    token = (
        ApiToken.objects.select_related("user")
        .filter(Q(expires_at__isnull=True) | Q(expires_at__gt=now), digest=ApiToken.digest_of(secret))
        .filter(user__is_active=True)
        .first()
    )
    if token and (token.last_used_at is None or token.last_used_at < now - USE_RESOLUTION):
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token
