"""Answers that are asked for again and again: `ETag`, and 304 when nothing changed."""

from hashlib import sha256
from typing import Any

from django.http import HttpResponseBase
from django.utils.cache import get_conditional_response, patch_vary_headers
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response


class ConditionalMixin:
    """For views that only read: a program that polls transfers a list only when it changed."""

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Compare once the body is written."""
        answer = super().finalize_response(request, response, *args, **kwargs)  # type: ignore[misc]
        is_whole = isinstance(answer, Response) and answer.status_code == status.HTTP_200_OK  # and no long download
        if request.method in {"GET", "HEAD"} and is_whole:
            answer.add_post_render_callback(lambda rendered: _compare(request, rendered))
        return answer


def _compare(request: Request, response: Response) -> HttpResponseBase | None:
    """Name the body by its digest; None keeps the answer, else a 304 takes its place."""
    etag = f'"{sha256(response.rendered_content).hexdigest()[:32]}"'
    response.headers["ETag"] = etag
    # The asking program may keep it for itself, and must ask each time whether it is still true.
    response.headers["Cache-Control"] = "private, no-cache"
    patch_vary_headers(response, ["Authorization", "Cookie", "Accept-Language"])
    found = get_conditional_response(request._request, etag=etag, response=response)  # noqa: SLF001 - no public way
    return None if found is response else found
