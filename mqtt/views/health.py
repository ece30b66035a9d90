"""How the console fares: for load balancers (no login, no details), for Prometheus, and for people."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from mqtt.meters import REGISTRY
from mqtt.pages.health import report
from mqtt.permissions import ADMINISTER, VIEW, can
from mqtt.services import clock, throttle, tokens
from mqtt.services.health import READINESS, HealthState, check_health
from mqtt.services.metrics import scrape
from mqtt.views.actions import actor_of
from mqtt.views.guard import needs

LOOPBACK = {"127.0.0.1", "::1"}
LOCAL_NAMES = {"localhost", "127.0.0.1", "[::1]"}


@never_cache
def healthz(_request: HttpRequest) -> HttpResponse:
    """This web process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
def readyz(_request: HttpRequest) -> HttpResponse:
    """What a page needs answers too: 200 up or degraded, 503 down."""
    health = check_health()
    READINESS.note(health)
    status = 503 if health.state is HealthState.DOWN else 200
    answer = HttpResponse(f"{health.state.name.lower()}\n", content_type="text/plain", status=status)
    answer._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001 - Django would log each as an error
    return answer


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text, for programs on this machine, or with an API token or login that may look."""
    refusal = _refusal(request)
    if refusal is not None:
        return refusal
    return HttpResponse(scrape(REGISTRY), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _refusal(request: HttpRequest) -> HttpResponse | None:
    """None: may be told."""
    if _is_local(request) or can(request.user, VIEW):
        return None
    words = request.META.get("HTTP_AUTHORIZATION", "").split()
    address = str(request.META.get("REMOTE_ADDR", ""))
    if len(words) == 2 and words[0].lower() in {"token", "bearer"}:
        wait = throttle.token_wait(address)
        if wait:
            return HttpResponse(status=429, headers={"Retry-After": str(wait)}, content_type="text/plain")
        token = tokens.authenticate(words[1])
        if token and can(token.user, VIEW):
            return None
        if token is None:
            throttle.token_failed(address)
    text = _("Ask from this machine, or send an API token: Authorization: Bearer …")
    headers = {"WWW-Authenticate": "Bearer"}
    return HttpResponse(f"{text}\n", status=401, headers=headers, content_type="text/plain; charset=utf-8")


def _is_local(request: HttpRequest) -> bool:
    """From this machine by its own name: not through a proxy, nor by a browser that was sent here by a foreign page."""
    name = request.get_host().rpartition(":")[0] if request.get_host().count(":") == 1 else request.get_host()
    name = name.rpartition("]")[0] + "]" if name.startswith("[") else name
    is_forwarded = bool(request.META.get("vedetta.is_forwarded"))
    return request.META.get("REMOTE_ADDR") in LOOPBACK and name in LOCAL_NAMES and not is_forwarded


@require_safe
@needs(VIEW)
def health_page(request: HttpRequest) -> HttpResponse:
    """The same for people, with what runs when by itself."""
    return render(request, "mqtt/health.html", report(request.user))


@require_POST
@needs(ADMINISTER)
def clock_confirm(request: HttpRequest) -> HttpResponse:
    """An administrator says that this computer's clock is right."""
    if clock.confirm(actor_of(request)):
        messages.success(request, _("The clock counts as right: what speaks against it is set aside."))
    else:
        messages.success(request, _("Nothing speaks against the clock any more."))
    return redirect("health")
