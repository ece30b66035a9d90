"""The login form: says how long to wait after too many wrong passwords."""

from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.utils.translation import ngettext

from mqtt.services import throttle


class ThrottledLoginForm(AuthenticationForm):
    """Django's form behind the throttle; pages and the admin site share it."""

    def clean(self) -> dict[str, Any]:
        """Refuse to look at the password while this name has to wait at this address."""
        username = str(self.cleaned_data.get("username") or "")
        address = str(self.request.META.get("REMOTE_ADDR", "")) if self.request else ""
        wait = throttle.login_wait(username, address)
        if wait:
            minutes = -(-wait // 60)
            text = ngettext(
                "Too many wrong passwords. Try again in %(count)s minute.",
                "Too many wrong passwords. Try again in %(count)s minutes.",
                minutes,
            )
            raise ValidationError(text % {"count": minutes}, code="throttled")
        if not username or not self.cleaned_data.get("password"):
            return super().clean()  # nothing was tried, so nothing is counted or forgiven
        throttle.login_begins(username, address)
        cleaned = super().clean()
        throttle.login_succeeded(username, address)
        return cleaned
