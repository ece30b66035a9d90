"""The answer while the database is away: what is wrong and what happens next, from what needs no database."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import loader
from django.utils.translation import gettext as _

from mqtt.services.pressure import read_all

RETRY_AFTER = 5
"""Seconds after which the page loads itself again."""


def database_away(request: HttpRequest, *, is_full: bool = False) -> HttpResponse:
    """503 as a page, below /api/ as JSON. `is_full`: it answers, and has no room to write."""
    if request.path.startswith("/api/"):
        sentence = _("The database does not answer. What devices send meanwhile is kept; try again in a few seconds.")
        if is_full:
            sentence = _("The database cannot write: its disk is full. Make room, then try again.")
        answer: HttpResponse = JsonResponse({"detail": sentence}, status=503)
    else:
        processes = read_all()
        context = {
            "is_read": request.method in {"GET", "HEAD"},
            "retry_after": RETRY_AFTER,
            "is_full": is_full,
            "is_heard": bool(processes),
            "away_seconds": max((one.database_away_seconds for one in processes or ()), default=0.0),
        }
        answer = HttpResponse(loader.get_template("503.html").render(context), status=503)
        if context["is_read"]:
            answer.headers["Refresh"] = str(RETRY_AFTER)
    answer._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001 - or Django logs each request as an error
    answer.headers["Retry-After"] = str(RETRY_AFTER)
    return answer
