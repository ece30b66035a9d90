"""Live pages: what a view shows and a socket keeps true, said once.

A page answers two questions for both callers: which rows does this user see with these parameters (`show`),
and what are the other live pieces (`parts`). Lists (`list_page`) and pages of one object (`object_page`) differ only
in how they answer.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Model
from django.http import QueryDict
from django.urls import reverse

from mqtt.permissions import OPERATE, User, can

Touch = tuple[str, int]
"""A kind and a primary key: something that an event says has changed."""

STATES = frozenset({"status", "availability", "sweep", "new"})
"""The words of changes that move counters: a status, an availability, found by the sweep, something new."""


@dataclass(frozen=True, slots=True)
class Part:
    """A live piece of a page that is replaced as a whole; its template's outermost element carries the id.

    `context(shown)` runs with the database at hand and returns what the template needs. `element` is the
    outermost element's name, because a frame carries one family of elements. `every` bounds how often the
    part is rendered again, in seconds (0: LIVE_INTERVAL).
    """

    name: str
    template: str
    context: Callable[["Shown"], dict[str, Any]]
    element: str = "div"
    every: float = 0.0
    on: frozenset[str] = STATES
    """Which changes concern it on a list or overview: status, availability, sweep, new, readings, rates,
    journal, test."""


@dataclass(slots=True)
class Shown:
    """What one user sees on one page: the rows by kind, and what the parts are made of."""

    page: "Page"
    user: User
    params: QueryDict
    object: Any = None
    rows: dict[str, dict[int, int]] = field(default_factory=dict)
    """{kind: {pk: connection_id}} in the order of the page."""
    records: list[Any] = field(default_factory=list)
    """The objects of the list, already loaded."""
    total: int = 0
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, int, str]:
        """Equal for all who look at the same: page, object and filters."""
        return self.page.name, self.object.pk if self.object else 0, self.params.urlencode()

    @property
    def connection_id(self) -> int:
        """The connection that the page is about; 0: all of them."""
        return self.page.connection_of(self.object)

    @property
    def can_operate(self) -> bool:
        """Whether the user may press the rows' buttons."""
        return can(self.user, OPERATE)

    @property
    def socket(self) -> str:
        """The address of this page's WebSocket."""
        query = self.params.urlencode()
        middle = f"{self.object.pk}/" if self.object else ""
        return f"/ws/{self.page.name}/{middle}" + (f"?{query}" if query else "")

    def let_rows_go(self) -> None:
        """Keep which rows these are, and not the rows, their table and filters: a socket knows the page for hours."""
        self.records, self.extra = [], {}

    def part(self, name: str) -> Part:
        """The part of that name."""
        return next(part for part in (*self.page.parts, *self.page.pulses) if part.name == name)

    def part_context(self, part: Part) -> dict[str, Any]:
        """What the part's template knows, on the page as in a push."""
        return {"shown": self, "can_operate": self.can_operate, **part.context(self)}


class Page:
    """Base of live pages. `name` is the path of the socket: /ws/<name>/."""

    name: str = ""
    parts: tuple[Part, ...] = ()
    pulses: tuple[Part, ...] = ()
    """Parts made of the heartbeats alone: looked at every 2 s, and pushed also while the database is away."""
    kind: str = ""
    is_of_object = False
    """Whether a primary key follows the name: /ws/<name>/<pk>/."""

    def show(self, user: User, params: QueryDict, pk: int = 0) -> Shown | None:
        """What the user sees; None when there is no such thing, or not for them."""
        raise NotImplementedError

    def matching(self, shown: Shown, kind: str, pks: Iterable[int]) -> set[int]:
        """Those of the rows that still belong on the page."""
        return set(pks)

    def affected(self, shown: Shown, touches: set[Touch], words: set[str]) -> list[Part]:
        """The parts that must be rendered again after these changes."""
        return [part for part in self.parts if part.on & words]

    def refresh(self, shown: Shown) -> Shown | None:
        """The same page with fresh data for its parts; None when it is gone."""
        return self.show(shown.user, shown.params, shown.object.pk if shown.object else 0)

    def connection_of(self, obj: Any) -> int:
        """The connection of an object page; 0 for pages about all."""
        return 0


def connection_id(kind: str, row: Model) -> int:
    """The connection that a row belongs to; 0 for a site."""
    return row.pk if kind == "connection" else getattr(row, "connection_id", 0) or 0


REGISTRY: dict[tuple[str, bool], Page] = {}
"""Pages by the name in their socket's path, and whether a primary key follows it."""


def register(page: Page) -> Page:
    """Make a page's socket answer."""
    REGISTRY[page.name, page.is_of_object] = page
    return page


def list_url(name: str, **parameters: Any) -> str:
    """A list's address with its filters."""
    query = QueryDict(mutable=True)
    query.update({key: str(value) for key, value in parameters.items()})
    return f"{reverse(name)}?{query.urlencode()}" if query else reverse(name)
