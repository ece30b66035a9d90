"""Secrets at rest: Fernet under CREDENTIALS_KEY (several keys, comma separated, newest first, for rotation)."""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet


class SecretUnreadableError(Exception):
    """The stored secret was encrypted with a key that is no longer configured."""


def _cipher() -> "MultiFernet":
    from cryptography.fernet import Fernet, MultiFernet  # 9 MB, for who has secrets

    try:
        return MultiFernet([Fernet(key.strip()) for key in settings.CREDENTIALS_KEYS])
    except ValueError as error:
        message = "CREDENTIALS_KEY must be a Fernet key (32 bytes, URL-safe base64)."
        raise ImproperlyConfigured(message) from error


def encrypt(plain: str) -> str:
    """The token to store; empty stays empty, so that "not set" needs no key."""
    return _cipher().encrypt(plain.encode()).decode() if plain else ""


def decrypt(token: str) -> str:
    """The secret of a stored token. Raises SecretUnreadableError when the key is not the one it was made with."""
    if not token:
        return ""
    from cryptography.fernet import InvalidToken  # as in _cipher

    try:
        return _cipher().decrypt(token.encode()).decode()
    except InvalidToken as error:
        raise SecretUnreadableError from error


class SecretField(models.TextField):
    """Holds an encrypted token. Assign with `encrypt`, read with `decrypt`; forms and serializers leave it out."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["editable"] = False
        kwargs.setdefault("blank", True)
        kwargs.setdefault("default", "")
        super().__init__(*args, **kwargs)
