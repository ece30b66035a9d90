"""Pages with a count for lists, a cursor without one for history."""

import base64
import binascii
import struct
from functools import partial
from typing import Any, NamedTuple

from django.core.paginator import InvalidPage, Page, Paginator
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request

from mqtt.lists.paging import part

PAGE_SIZE = 100
MAX_PAGE_SIZE = 1000
MAX_PAGE = 10**9 - 1


def whole_number(request: Request, name: str, default: int, highest: int) -> int:
    """A query parameter between 1 and `highest`, or a field error that says so."""
    given = request.query_params.get(name, "")
    if not given:
        return default
    if given.isascii() and given.isdecimal() and len(given) < 10 and 1 <= int(given) <= highest:
        return int(given)
    raise ValidationError({name: [_("Write a whole number from 1 to %(highest)s.") % {"highest": highest}]})


def _parameter(name: str, description: str, bounds: dict[str, int]) -> dict[str, Any]:
    schema = {"type": "integer", **bounds}
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


class KeysFirst(Paginator):
    """Finds the keys of a page without what a row needs: that is fetched for the rows of the page alone.

    `rows` has what a row needs; without it the list itself has.
    """

    def __init__(self, *args: Any, rows: QuerySet[Any] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rows = rows

    def page(self, number: Any) -> Any:
        """The first page is asked for one row more: where none comes, all of them are known and nothing is counted."""
        whole: Any = self.object_list
        if not isinstance(whole, QuerySet) or whole.query.distinct:
            return super().page(number)
        if number == 1:
            found = list(part(whole, 0, self.per_page + 1, rows=self.rows))
            if len(found) <= self.per_page:
                self.__dict__["count"] = len(found)
            return Page(found[: self.per_page], 1, self)
        number = self.validate_number(number)
        low = (number - 1) * self.per_page
        return Page(part(whole, low, low + self.per_page, self.count, self.rows), number, self)


class Pages(PageNumberPagination):
    """`page` from 1, `page_size` up to 1000."""

    django_paginator_class: Any = KeysFirst
    page_size = PAGE_SIZE
    page_size_query_param = "page_size"
    max_page_size = MAX_PAGE_SIZE

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> Any:
        """The view says what a row needs beyond the list that is counted."""
        is_lean = getattr(view, "listed", None) is not None
        self.django_paginator_class = partial(KeysFirst, rows=view.rows if is_lean else None)
        return super().paginate_queryset(queryset, request, view)

    def get_page_size(self, request: Request) -> int:
        """Refuse what Django REST framework would silently correct."""
        return whole_number(request, "page_size", PAGE_SIZE, MAX_PAGE_SIZE)

    def get_page_number(self, request: Request, paginator: Any) -> int:
        """A whole number; behind the last page there is nothing (404)."""
        number = whole_number(request, "page", 1, MAX_PAGE)
        if number == 1:
            return 1  # is always there; whether it is all of them is seen when it is read
        try:
            paginator.validate_number(number)
        except InvalidPage as error:
            last = {"last": paginator.num_pages}
            raise NotFound(_("There is no such page; the last one is %(last)s.") % last) from error
        return number

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """Both with their bounds."""
        return [
            _parameter("page", "1 is the first page.", {"minimum": 1, "maximum": MAX_PAGE, "default": 1}),
            _parameter("page_size", "Rows of a page.", {"minimum": 1, "maximum": MAX_PAGE_SIZE, "default": PAGE_SIZE}),
        ]

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """As Django REST framework says it, with the two links that always stand there."""
        found: dict[str, Any] = super().get_paginated_response_schema(schema)
        return {**found, "required": ["count", "next", "previous", "results"]}


class Cursor(NamedTuple):
    """The last reading of a page: the next one begins behind it."""

    time_us: int
    sensor_id: int
    digest: int

    def text(self) -> str:
        """For the link; nothing to be read or built by hand."""
        return base64.urlsafe_b64encode(struct.pack(">qqq", *self)).decode()


def read_cursor(request: Request) -> Cursor | None:
    """The request's cursor. Raises a field error for one that is not ours."""
    given = request.query_params.get("cursor", "")
    if not given:
        return None
    try:
        return Cursor(*struct.unpack(">qqq", base64.b64decode(given, altchars=b"-_", validate=True)))
    except (binascii.Error, ValueError, struct.error) as error:
        raise ValidationError({"cursor": [_("Take the cursor from the link called next.")]}) from error
