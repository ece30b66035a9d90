"""Live pages of one object: its parts, and perhaps rows of further tables."""

from collections.abc import Callable
from typing import Any

from django.http import QueryDict

from mqtt.lists import queries
from mqtt.pages.base import Page, Part, Shown, Touch, connection_id
from mqtt.permissions import User


class ObjectPage(Page):
    """The page of one object, with its parts and perhaps rows of further tables.

    `rows(user, obj)` names the rows of tables on the page as {kind: {pk: connection_id}}. The parts are
    rendered again when the object itself or its connection changed.
    """

    is_of_object = True

    def __init__(
        self,
        *,
        name: str,
        kind: str,
        parts: tuple[Part, ...],
        pulses: tuple[Part, ...] = (),
        rows: Callable[[User, Any], dict[str, dict[int, int]]] | None = None,
        queryset: Callable[[User], Any] | None = None,
    ) -> None:
        self.name = name
        self.kind = kind
        self.parts = parts
        self.pulses = pulses
        self._rows = rows
        self._queryset = queryset

    def queryset(self, user: User) -> Any:
        """The objects that the user may open, loaded as for their row."""
        return self._queryset(user) if self._queryset else queries.rows(self.kind, user)

    def show(self, user: User, params: QueryDict, pk: int = 0) -> Shown | None:
        """The object with its rows."""
        found = queries.prepare(self.kind, self.queryset(user).filter(pk=pk))
        if not found:
            return None
        shown = Shown(self, user, params, object=found[0])
        shown.rows = self._rows(user, found[0]) if self._rows else {}
        return shown

    def affected(self, shown: Shown, touches: set[Touch], words: set[str]) -> list[Part]:
        """All parts when the object or its connection changed."""
        about = {(self.kind, shown.object.pk), ("connection", shown.connection_id)}
        return list(self.parts) if about & touches else []

    def connection_of(self, obj: Any) -> int:
        """The connection that the object hangs on; 0 for a site, which may have several."""
        return connection_id(self.kind, obj)
