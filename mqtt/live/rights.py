"""Who an open page belongs to now, and what its browser asked to be shown, as far as that person may see it."""

import logging

from django.db import DatabaseError
from django.http import QueryDict

from mqtt.live.render import rows_of
from mqtt.live.viewer import Viewer
from mqtt.pages.base import Shown
from mqtt.permissions import OPERATE, User, can

logger = logging.getLogger(__name__)


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
        shown.rows = rows_of(viewer.user, rows)
    viewer.show(shown)
