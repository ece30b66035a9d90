"""An export as an answer: written while it is read, slowly where it is read slowly, and never whole by its looks alone.

The answer has no length, because nobody knows it before: what ends it is the last chunk of HTTP. When something fails
on the way the file's last line says so and the connection is cut: browsers and programs say that the download failed.
"""

import logging
import re
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asgiref.sync import sync_to_async
from django.db import close_old_connections
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

logger = logging.getLogger(__name__)

_NO_NAME = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True)
class Export:
    """What is written, how, and how the file is called."""

    name: str
    rows: Iterator[list[Any]]
    writer: Any
    """One of `writers` or `readings`."""

    def blocks(self) -> Iterator[bytes]:
        """The file in pieces. Raises what its rows raise, after a last line that says so."""
        count = 0
        yield self.writer.head()
        try:
            for rows in self.rows:
                block = self.writer.block(rows)
                yield block
                count += len(rows)
        except Exception:
            logger.exception("The export %s stopped after %d rows.", self.name, count)
            yield self.writer.broken(
                _("The export stopped here after %(count)d rows: it is not whole.") % {"count": count}
            )
            raise

    @property
    def file_name(self) -> str:
        """What it is and when it was made, in plain letters."""
        return f"{_NO_NAME.sub('-', self.name).strip('-.')[:80] or 'export'}.{self.writer.ending}"


def file_name_part(moment: datetime) -> str:
    """A moment of the console's zone, as file names carry it."""
    return f"{timezone.localtime(moment):%Y%m%d-%H%M}"


def answer(request: HttpRequest, export: Export) -> StreamingHttpResponse:
    """The download. A server of the older kind, as tests use it, reads the pieces itself."""
    scope: dict[str, Any] | None = getattr(request, "scope", None)
    pieces: Iterable[bytes] | AsyncIterator[bytes] = [] if request.method == "HEAD" else export.blocks()
    if scope is not None and request.method != "HEAD":
        pieces = _in_turn(export.blocks(), scope.get("reader"))
    response = StreamingHttpResponse(pieces, content_type=export.writer.content_type)
    response["Content-Disposition"] = f'attachment; filename="{export.file_name}"'
    response["X-Accel-Buffering"] = "no"  # a proxy in front passes it on as it comes
    return response


async def _in_turn(blocks: Iterator[bytes], reader: Any) -> AsyncIterator[bytes]:
    """Make a piece in the request's own thread, and the next one only when the other end has taken it."""
    language = get_language()

    def following() -> bytes | None:
        try:
            with override(language):
                return next(blocks, None)
        finally:
            close_old_connections()  # back into the pool, while a slow reader takes its time

    try:
        while (piece := await sync_to_async(following)()) is not None:
            if reader is not None:
                await reader.ready()
            if piece:
                yield piece
    finally:
        if reader is not None:
            reader.release()
