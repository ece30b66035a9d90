"""What is shown when something went wrong: calm, in our look, and without needing what may be broken.

Below /api/ the same is said in JSON.
"""

import sys
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseServerError, JsonResponse
from django.shortcuts import render
from django.template import loader
from django.utils.translation import gettext as _

from mqtt.views.outage import database_away

PLAIN = "Something went wrong here, and it is logged. Go back and try again."


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: the request made no sense, perhaps so little that it has no user: a page without the frame."""
    if _is_api(request):
        return _json(400, _("The request cannot be understood."))
    return HttpResponseBadRequest(loader.get_template("400.html").render())


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403: logged in, without the right; an account without any role is told whom to ask."""
    if _is_api(request):
        return _json(403, _("You may not do this."))
    return render(request, "403.html", status=403)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: a wrong address, or something that was deleted."""
    if _is_api(request):
        return _json(404, _("There is no such path."))
    return _calm(
        request, 404, _("There is no such page"), _("The address may be wrong, or what stood here was deleted.")
    )


def method_not_allowed(request: HttpRequest) -> HttpResponse:
    """405: mostly the address of a button, opened by hand or brought back by the browser."""
    return _calm(
        request, 405, _("There is nothing to see here"), _("This address only carries out a button. Nothing was done.")
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: the form came without its token, most often after a long pause or with cookies switched off."""
    return _calm(
        request,
        403,
        _("This form is no longer valid"),
        _("It was open for too long, or this browser keeps no cookies. Go back, load the page again and repeat it."),
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """500: no context and no database, because either may be the reason."""
    if isinstance(sys.exception(), OperationalError | InterfaceError):
        return database_away(request)
    if _is_api(request):
        return _json(500, _("This failed. The log says more."))
    try:
        return HttpResponseServerError(loader.get_template("500.html").render())
    except Exception:  # noqa: BLE001 - the error page must not fail; the first error is logged already
        return HttpResponseServerError(PLAIN, content_type="text/plain; charset=utf-8")


def _is_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


def _json(status: int, sentence: str) -> HttpResponse:
    return JsonResponse({"detail": sentence}, status=status)


def _calm(request: HttpRequest, status: int, title: str, text: str) -> HttpResponse:
    context: dict[str, Any] = {"error_title": title, "error_text": text}
    return render(request, "error.html", context, status=status)
