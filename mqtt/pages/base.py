"""Live pages: what a view shows and a socket keeps true, said once.

A page answers two questions for both callers: which rows does this user see with these parameters (`show`),
and what are the other live pieces (`parts`). Lists and pages of one object differ only in how they answer.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

from django.core.paginator import Page as PaginatorPage
from django.core.paginator import Paginator
from django.db.models import Count, Model
from django.http import QueryDict
from django.urls import reverse

from mqtt import queries
from mqtt.enums import Availability, ConnectionStatus
from mqtt.paging import part
from mqtt.permissions import OPERATE, User, can
from mqtt.prepared import ByKey
from mqtt.tables import PER_PAGE

Touch = tuple[str, int]
"""A kind and a primary key: something that an event says has changed."""

STATES = frozenset({"status", "availability", "sweep", "new"})
"""The words of changes that move counters: a status, an availability, found by the sweep, something new."""

CONSOLE_KEYS = frozenset({"page", "sort"})
"""Parameters that choose a part of a list and do not narrow it."""


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


class ListPage(Page):
    """A table with filters: sortable, fifty rows a page, counters that are filters."""

    def __init__(
        self, *, name: str, table: Any, filterset: Any, title: Any, status_field: str = "", parts: tuple[Part, ...] = ()
    ) -> None:
        self.name = name
        self.kind = table.kind
        self.table = table
        self.filterset = filterset
        self.title = title
        self.status_field = status_field
        """The annotation that the chips count, if the list has one."""
        self.parts = parts

    @property
    def status_parameter(self) -> str:
        """The filter that the chips set."""
        return "status" if self.status_field == "effective_status" else "availability"

    def is_filtered(self, params: QueryDict) -> bool:
        """Whether rows can fall out of the list by changing."""
        return any(value for name in params if name not in CONSOLE_KEYS for value in params.getlist(name))

    def filtered(self, user: User, params: Mapping[str, Any]) -> Any:
        """The filterset over all rows that the user may see."""
        return self.filterset(params, queries.rows(self.kind, user), request=SimpleNamespace(user=user), prefix=None)

    def counts(self, user: User, params: QueryDict) -> dict[str, int]:
        """How many rows match each status with the other filters as they are; one query, `""` is their sum."""
        others = params.copy()
        others.pop(self.status_parameter, None)
        found = self.filtered(user, others).qs.select_related(None).prefetch_related(None).order_by()
        if not self.status_field:
            return {"": found.count()}
        by_status = dict(found.values_list(self.status_field).annotate(n=Count("pk")))
        return {"": sum(by_status.values()), **by_status}

    def show(self, user: User, params: QueryDict, pk: int = 0) -> Shown:
        """The rows of the asked page of the list, with the table around them."""
        filterset = self.filtered(user, params)
        counts = self.counts(user, params)
        total = self.total(params, counts)
        table = self.table(filterset.qs, order_by=params.getlist("sort") or None)
        paginator = KnownPaginator(table.data.data, PER_PAGE, total, queries.BY_KIND[self.kind]())
        table.page = paginator.get_page(params.get("page", 1))
        table.paginator = paginator
        records = queries.prepare(self.kind, table.page.object_list)
        shown = Shown(self, user, params, records=records, total=total)
        shown.rows = {self.kind: {row.pk: connection_id(self.kind, row) for row in records}}
        shown.extra = {"table": table, "filterset": filterset, "counts": counts}
        return shown

    def matching(self, shown: Shown, kind: str, pks: Iterable[int]) -> set[int]:
        """Those of the rows that the filters still let through."""
        if kind != self.kind or not self.is_filtered(shown.params):
            return set(pks)
        if "matching" not in shown.extra:
            found = (
                self.filtered(shown.user, shown.params)
                .qs.select_related(None)
                .prefetch_related(None)
                .order_by()
                .values_list("pk", flat=True)
            )
            shown.extra["matching"] = ByKey(found.all)
        return set(shown.extra["matching"](pks))

    def refresh(self, shown: Shown) -> Shown:
        """Fresh counts; the rows are pushed one by one."""
        counts = self.counts(shown.user, shown.params)
        return replace(shown, records=[], extra={"counts": counts}, total=self.total(shown.params, counts))

    def total(self, params: QueryDict, counts: dict[str, int]) -> int:
        """How many rows the whole list has with the status that is chosen."""
        chosen = params.get(self.status_parameter, "") if self.status_field else ""
        return counts.get(chosen, 0) if chosen in self.statuses else counts[""]

    @property
    def statuses(self) -> frozenset[str]:
        """What the chips may choose."""
        return frozenset(ConnectionStatus if self.status_parameter == "status" else Availability)


class ObjectPage(Page):
    """The page of one object, with its parts and perhaps rows of further tables.

    `rows(user, obj)` names the rows of tables on the page as {kind: {pk: connection_id}}. The parts are
    rendered again when the object itself, its connection, or something in `touches(obj)` changed.
    """

    def __init__(
        self,
        *,
        name: str,
        kind: str,
        parts: tuple[Part, ...],
        pulses: tuple[Part, ...] = (),
        rows: Callable[[User, Any], dict[str, dict[int, int]]] | None = None,
        touches: Callable[[Any], set[Touch]] | None = None,
        queryset: Callable[[User], Any] | None = None,
    ) -> None:
        self.name = name
        self.kind = kind
        self.parts = parts
        self.pulses = pulses
        self._rows = rows
        self._touches = touches
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
        """All parts when the object, its connection, or what it depends on changed."""
        about = {(self.kind, shown.object.pk), ("connection", shown.connection_id)}
        if self._touches:
            about |= self._touches(shown.object)
        return list(self.parts) if about & touches else []

    def connection_of(self, obj: Any) -> int:
        """The connection that the object hangs on; 0 for a site, which may have several."""
        return connection_id(self.kind, obj)


class KnownPaginator(Paginator):
    """A paginator that was told the count: the chips have counted already."""

    def __init__(self, whole: Any, per_page: int, known: int, rows: Any) -> None:
        super().__init__(whole, per_page)
        self.known = known
        self.rows = rows

    def page(self, number: Any) -> PaginatorPage:
        """One page of the list, its keys before its rows."""
        number = self.validate_number(number)
        whole: Any = self.object_list
        low = (number - 1) * self.per_page
        return PaginatorPage(part(whole, low, low + self.per_page, self.count, self.rows), number, self)

    @property
    def count(self) -> int:
        """All rows of the list."""
        return self.known


def connection_id(kind: str, row: Model) -> int:
    """The connection that a row belongs to; 0 for a site."""
    return row.pk if kind == "connection" else getattr(row, "connection_id", 0) or 0


REGISTRY: dict[tuple[str, bool], Page] = {}
"""Pages by the name in their socket's path, and whether a primary key follows it."""


def register(page: Page) -> Page:
    """Make a page's socket answer."""
    REGISTRY[page.name, isinstance(page, ObjectPage)] = page
    return page


def list_url(name: str, **parameters: Any) -> str:
    """A list's address with its filters."""
    query = QueryDict(mutable=True)
    query.update({key: str(value) for key, value in parameters.items()})
    return f"{reverse(name)}?{query.urlencode()}" if query else reverse(name)
