"""Who an open page belongs to now, and what its browser asked to be shown, as far as that person may see it."""

import logging
from collections.abc import Iterable
from typing import Any

from django.contrib.auth import get_user, get_user_model
from django.contrib.sessions.backends.db import SessionStore
from django.db import DatabaseError
from django.http import HttpRequest, QueryDict

from mqtt.lists import queries
from mqtt.live.viewer import Viewer
from mqtt.pages.base import Shown, Touch, connection_id
from mqtt.permissions import OPERATE, VIEW, User, can, visible_to

logger = logging.getLogger(__name__)


def current_users(keys: Iterable[tuple[str, int]]) -> dict[tuple[str, int], User | None]:
    """For each session key (or, without one, user id): who it stands for now; None when nobody who may look."""
    found: dict[tuple[str, int], User | None] = {}
    for session_key, user_id in set(keys):
        user: Any = None
        if session_key:
            request = HttpRequest()
            request.session = SessionStore(session_key)
            user = get_user(request)
        else:
            user = get_user_model().objects.filter(pk=user_id).first()
        found[session_key, user_id] = user if user is not None and user.pk == user_id and can(user, VIEW) else None
    return found


def take_user(viewer: Viewer, user: User) -> None:
    """The same person with rights read afresh; other rights mean other buttons."""
    viewer.user = viewer.shown.user = user
    may = can(user, OPERATE)
    if may != viewer.can_operate:
        viewer.can_operate = may
        viewer.everything()


def grant(viewers: list[Viewer]) -> None:
    """Look up what browsers asked to be shown; what they may not see is left out."""
    for viewer in viewers:
        try:
            _grant(viewer)
        except DatabaseError:
            raise
        except Exception:  # what one browser asks must not stop the rows of all
            logger.exception("A page asked for something that cannot be shown")


def _grant(viewer: Viewer) -> None:
    wish, viewer.wish = viewer.wish, None
    query, rows = wish or (None, None)
    shown: Shown | None = viewer.shown
    if query is not None:
        pk = viewer.shown.object.pk if viewer.shown.object else 0
        shown = viewer.shown.page.show(viewer.user, QueryDict(query), pk)
    if shown is None:
        return
    if rows is not None:
        shown.rows = _rows_of(viewer.user, rows)
    viewer.show(shown)


def _rows_of(user: User, touches: Iterable[Touch]) -> dict[str, dict[int, int]]:
    """The rows that a browser says it shows, as far as the user may see them: {kind: {pk: connection_id}}."""
    wanted: dict[str, list[int]] = {}
    for kind, pk in touches:
        wanted.setdefault(kind, []).append(pk)
    found: dict[str, dict[int, int]] = {}
    for kind, pks in wanted.items():
        rows = visible_to(user, queries.BY_KIND[kind]()).filter(pk__in=pks)
        found[kind] = {row.pk: connection_id(kind, row) for row in rows}
    return found
