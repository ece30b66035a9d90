"""For load balancers and container health checks: no login, no details."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache

from mqtt.services.health import HealthState, check_health


@never_cache
def healthz(_request: HttpRequest) -> HttpResponse:
    """This web process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
def readyz(_request: HttpRequest) -> HttpResponse:
    """What a page needs answers too: 200 up or degraded, 503 down."""
    state = check_health().state
    status = 503 if state is HealthState.DOWN else 200
    return HttpResponse(f"{state.name.lower()}\n", content_type="text/plain", status=status)
