"""`Authorization: Token …`, or `Bearer …`, with our own hashed, expiring tokens."""

from django.contrib.auth.models import User
from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.request import Request

from mqtt.models import ApiToken
from mqtt.services import throttle, tokens

KEYWORD = "Token"
KNOWN = (b"token", b"bearer")
"""Many tools can only say the second."""


class TokenAuthentication(BaseAuthentication):
    """Knows the user of a token; who shows wrong ones again and again must wait."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """The token and its user; None when no token was shown. Raises AuthenticationFailed or Throttled."""
        words = get_authorization_header(request).split()
        if not words or words[0].lower() not in KNOWN:
            return None
        address = str(request.META.get("REMOTE_ADDR", ""))
        wait = throttle.token_wait(address)
        if wait:
            raise Throttled(wait)
        if len(words) != 2:
            raise AuthenticationFailed(_("Write the header as: Authorization: Token SECRET"))
        token = tokens.authenticate(words[1].decode("latin-1"))
        if token is None:
            throttle.token_failed(address)
            raise AuthenticationFailed(_("This token is unknown, expired or revoked."))
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        """What a 401 asks for."""
        return KEYWORD
