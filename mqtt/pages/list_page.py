"""Live lists: a table with filters, whose rows, counters and length are kept true."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from django.core.paginator import Page as PaginatorPage
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import QueryDict

from mqtt.enums import Availability, ConnectionStatus
from mqtt.lists import queries
from mqtt.lists.paging import part
from mqtt.lists.prepared import ByKey
from mqtt.pages.base import Page, Part, Shown, connection_id
from mqtt.permissions import User
from mqtt.tables import PER_PAGE

CONSOLE_KEYS = frozenset({"page", "sort"})
"""Parameters that choose a part of a list and do not narrow it."""


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
