"""Forms that look at a password: after too many wrong ones they say how long to wait."""

from typing import Any

from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.core.exceptions import ValidationError
from django.utils.translation import ngettext

from mqtt.services import throttle


def refuse_while_waiting(username: str, address: str) -> None:
    """Raise ValidationError while this name has to wait at this address."""
    wait = throttle.login_wait(username, address)
    if wait:
        minutes = -(-wait // 60)
        text = ngettext(
            "Too many wrong passwords. Try again in %(count)s minute.",
            "Too many wrong passwords. Try again in %(count)s minutes.",
            minutes,
        )
        raise ValidationError(text % {"count": minutes}, code="throttled")


class ThrottledLoginForm(AuthenticationForm):
    """Django's form behind the throttle; pages and the admin site share it."""

    def clean(self) -> dict[str, Any]:
        """Refuse to look at the password while this name has to wait at this address."""
        username = str(self.cleaned_data.get("username") or "")
        address = str(self.request.META.get("REMOTE_ADDR", "")) if self.request else ""
        refuse_while_waiting(username, address)
        if not username or not self.cleaned_data.get("password"):
            return super().clean()  # nothing was tried, so nothing is counted or forgiven
        throttle.login_begins(username, address)
        cleaned = super().clean()
        throttle.login_succeeded(username, address)
        return cleaned


class ThrottledPasswordForm(PasswordChangeForm):
    """The old password is asked again, and a session that was left open must not be a place to guess it."""

    def __init__(self, user: Any, data: Any = None, *, address: str = "") -> None:
        super().__init__(user, data)
        self.address = address

    def clean_old_password(self) -> str:
        """Refuse to look at it after too many wrong ones, of logins too."""
        username = self.user.get_username()
        refuse_while_waiting(username, self.address)
        throttle.login_begins(username, self.address)
        found: str = super().clean_old_password()
        throttle.login_succeeded(username, self.address)
        return found
