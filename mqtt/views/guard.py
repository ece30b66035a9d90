"""The permission on top of every view, and who acts."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlsplit

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect

from mqtt.permissions import can

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def needs(action: str) -> Callable[[View[P]], View[P]]:
    """Send who is not logged in to the login, answer 403 to who may not."""

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return login_first(request)
            if not can(request.user, action):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        guard: Any = guarded
        return guard  # type: ignore[no-any-return]

    return decorate


def login_first(request: HttpRequest) -> HttpResponse:
    """To the login and back: to the page itself, or from a button to the page on which it stands.

    htmx would swap the login form into a table row, so it is told to move the whole page.
    """
    where = request.htmx.current_url_abs_path if request.htmx else None  # type: ignore[attr-defined]
    if where is None:
        where = request.get_full_path() if request.method in {"GET", "HEAD"} else _page_of(request)
    answer = redirect_to_login(where)
    return HttpResponseClientRedirect(answer.url) if request.htmx else answer  # type: ignore[attr-defined]


def _page_of(request: HttpRequest) -> str:
    """The page on which the form stood that was sent, as the browser says; the overview when it says none of ours."""
    said = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(said, {request.get_host()}):
        return reverse("overview")
    page = urlsplit(said)
    return f"{page.path}?{page.query}" if page.query else page.path
