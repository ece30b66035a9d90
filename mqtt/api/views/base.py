"""What all lists share: rights, visibility, filters of the pages, search and ordering."""

from collections.abc import Collection
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.exceptions import ValidationError
from rest_framework.filters import OrderingFilter
from rest_framework.request import Request

from mqtt.api.conditional import ConditionalMixin
from mqtt.lists.paging import in_order
from mqtt.permissions import visible_to


class StrictOrdering(OrderingFilter):
    """`ordering` with names that exist; ends with the id, so that no row stands on two pages."""

    def remove_invalid_fields(self, queryset: Any, fields: Any, view: Any, request: Request) -> Any:
        """Refuse what Django REST framework would silently drop."""
        names = [name for name, _title in self.get_valid_fields(queryset, view, {"request": request})]
        for field in fields:
            if field.removeprefix("-") not in names:
                known = {"names": ", ".join(names)}
                raise ValidationError({"ordering": [_("Order by one of these: %(names)s.") % known]})
        return fields

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """The names, alone or with a minus before them, several with commas."""
        names = [f"{sign}{name}" for name in view.ordering_fields for sign in ("", "-")]
        return [
            {
                "name": self.ordering_param,
                "in": "query",
                "required": False,
                "description": "Names with commas, the most important first; a minus turns one round.",
                "schema": {"type": "array", "items": {"type": "string", "enum": names}},
                "explode": False,
                "style": "form",
            }
        ]

    def filter_queryset(self, request: Request, queryset: Any, view: Any) -> Any:
        """Ordered; what is computed for that is added only where it is wanted."""
        names = {one.lstrip("-") for one in self.get_ordering(request, queryset, view)}
        if "effective_availability" in names:
            queryset = queryset.with_availability()
        return queryset.order_by(*map(in_order, self.get_ordering(request, queryset, view)))

    def get_ordering(self, request: Request, queryset: Any, view: Any) -> Any:
        """The wanted order, then the id."""
        wanted = super().get_ordering(request, queryset, view) or ()
        aliases = getattr(view, "ordering_aliases", {})
        named = [f"{'-' * one.startswith('-')}{aliases.get(one.lstrip('-'), one.lstrip('-'))}" for one in wanted]
        return [*named, *(["id"] if "id" not in {one.lstrip("-") for one in named} else [])]


def refuse_unknown(request: Request, known: Collection[str]) -> None:
    """Raise a field error for each parameter that does not exist."""
    unknown = sorted(set(request.query_params) - set(known))
    if unknown:
        sentence = _("There is no such parameter. Known are: %(names)s.") % {"names": ", ".join(sorted(known))}
        raise ValidationError({name[:100]: [sentence] for name in unknown[:20]})


class StrictFilters(DjangoFilterBackend):  # type: ignore[misc]
    """The filters of the pages; a parameter that does not exist is an error: misspelled it would show everything."""

    def filter_queryset(self, request: Request, queryset: Any, view: Any) -> Any:
        """Compare the names first, of lists only."""
        if view.action == "list":
            refuse_unknown(request, {*view.filterset_class.base_filters, *COMMON_PARAMETERS})
            if COMMON_PARAMETERS.issuperset(request.query_params):
                return queryset  # a form of all filters, to find none of them filled, takes longer than the rows
        return super().filter_queryset(request, queryset, view)


COMMON_PARAMETERS = frozenset({"page", "page_size", "ordering", "format"})


class VisibleMixin(ConditionalMixin):
    """Only what this user may see; `rows` is the view's queryset, `listed` what filters, orders and counts a list."""

    filter_backends: Any = (StrictFilters, StrictOrdering)
    rows: QuerySet[Any]
    listed: QuerySet[Any] | None = None

    def get_queryset(self) -> QuerySet[Any]:
        """Fresh for every request."""
        request: Request = self.request  # type: ignore[attr-defined]
        listed = self.listed if self.action == "list" else None  # type: ignore[attr-defined]
        found = self.rows if listed is None else listed
        return visible_to(request.user, found.all())
