"""What every answer carries: the content policy, honest caching, and trust only in named proxies."""

import time
from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from mqtt.meters import REQUEST_SECONDS
from mqtt.presentation.visible import visible
from mqtt.views.errors import method_not_allowed

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

GetResponse = Callable[[HttpRequest], HttpResponse]

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'"
)
"""No inline script, no inline style, nothing from elsewhere: what a device sends can never run."""

PROXY_HEADERS = ("HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_HOST")
FORWARDED = (*PROXY_HEADERS, "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_VIA")
"""What says that somebody else than the asking program stands at the other end of the connection."""


class TrustedProxyMiddleware:
    """Drops forwarded headers from everybody but TRUSTED_PROXIES, and takes the client's address from those.

    Whether a request came through a proxy, trusted or not, is noted in META["vedetta.is_forwarded"].
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.META.get("REMOTE_ADDR") in settings.TRUSTED_PROXIES:
            forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")[-1].strip()
            if forwarded:
                request.META["REMOTE_ADDR"] = forwarded
            request.META["vedetta.is_forwarded"] = True
        else:
            request.META["vedetta.is_forwarded"] = any(name in request.META for name in FORWARDED)
            for header in PROXY_HEADERS:
                request.META.pop(header, None)
        return self.get_response(request)


class RequestTimeMiddleware:
    """Counts how long each view takes; the outermost, so that it sees all of it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        response = self.get_response(request)
        match = request.resolver_match
        # A path that is none of ours must not become a label: anybody can ask for millions of them.
        view = (match.view_name or "other") if match else "other"
        method = request.method if request.method in METHODS else "other"
        REQUEST_SECONDS.labels(view, method, response.status_code).observe(time.perf_counter() - began)
        return response


class ContentSecurityPolicyMiddleware:
    """Sends the same strict policy with every answer, and lets no cache keep what does not say that it may."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", CONTENT_POLICY)
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response


class VisibleSignsMiddleware:
    """No page holds signs that hide or turn round what stands beside them: a name would look like another one."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not response.streaming and response.headers.get("Content-Type", "").startswith("text/html"):
            response.content = visible(response.content.decode(response.charset, "replace"))
        return response


class NoSuchMethodMiddleware:
    """Gives a browser a page instead of the empty answer to a method that an address does not know."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if (
            response.status_code != HTTPStatus.METHOD_NOT_ALLOWED
            or response.content
            or not request.accepts("text/html")
        ):
            return response
        page = method_not_allowed(request)
        page.headers["Allow"] = response.headers["Allow"]
        return page


class VaryOnHtmxMiddleware:
    """One URL has two bodies, page and fragment: without this the Back button may show a fragment."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        patch_vary_headers(response, ["HX-Request"])
        return response
