"""A person's own account: login, password, API tokens."""

from typing import Any

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from mqtt.forms import TokenForm
from mqtt.models import ApiToken
from mqtt.permissions import VIEW
from mqtt.services import people, tokens
from mqtt.services.audit import Actor
from mqtt.views.guard import needs
from mqtt.views.login_form import ThrottledLoginForm, ThrottledPasswordForm

MAX_TOKENS = 50
"""Nobody needs more; bounds what one account can make."""


class ConsoleLoginView(LoginView):
    """The login; who is logged in already goes on."""

    template_name = "mqtt/login.html"
    form_class = ThrottledLoginForm
    redirect_authenticated_user = True


@login_required
@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """Who I am here, and what I can change about it."""
    user = _user(request)
    context = {"role": people.role_of(user), "tokens": user.api_tokens.count()}
    return render(request, "mqtt/account.html", context)


@login_required
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def password_change(request: HttpRequest) -> HttpResponse:
    """A new password, with the old one as proof; sessions elsewhere end."""
    user = _user(request)
    form = ThrottledPasswordForm(user, request.POST or None, address=str(request.META.get("REMOTE_ADDR", "")))
    if request.method == "POST" and form.is_valid():
        people.set_password(Actor.of(user, "web"), user, form.cleaned_data["new_password1"])
        update_session_auth_hash(request, user)
        messages.success(request, _("Your password is changed. You are logged out everywhere else."))
        return redirect("account")
    return render(request, "mqtt/password_change.html", {"form": form})


@needs(VIEW)
@require_safe
def token_list(request: HttpRequest) -> HttpResponse:
    """My API tokens."""
    return _token_page(request, TokenForm())


@needs(VIEW)
@never_cache
@require_POST
def token_create(request: HttpRequest) -> HttpResponse:
    """A new token; its secret stands in this answer and nowhere else."""
    user, form = _user(request), TokenForm(request.POST)
    if form.is_valid() and user.api_tokens.count() >= MAX_TOKENS:
        form.add_error(None, _("You have %(limit)s tokens. Revoke one first.") % {"limit": MAX_TOKENS})
    if not form.is_valid():
        return _token_page(request, form)
    name, expires_at = form.cleaned_data["name"], form.expires_at()
    token, secret = tokens.create_token(Actor.of(user, "web"), user, name, expires_at)
    return _token_page(request, TokenForm(), fresh=token, secret=secret)


@needs(VIEW)
@require_http_methods(["GET", "POST"])
def token_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """End a token of mine on the second click."""
    token = get_object_or_404(ApiToken, pk=pk, user=_user(request))
    if request.method == "GET":
        return render(request, "mqtt/token_revoke.html", {"token": token})
    tokens.revoke_token(Actor.of(request.user, "web"), token)
    messages.success(request, _("%(name)s is revoked.") % {"name": token.name})
    return redirect("token-list")


def _token_page(request: HttpRequest, form: TokenForm, **extra: Any) -> HttpResponse:
    context = {"form": form, "tokens": ApiToken.objects.filter(user=_user(request)), "now": timezone.now(), **extra}
    return render(request, "mqtt/token_list.html", context)


def _user(request: HttpRequest) -> User:
    user = request.user
    if not isinstance(user, User):  # the guard let nobody else in
        raise TypeError(user)
    return user
