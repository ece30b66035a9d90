"""The tables: columns, their order, and fifty rows a page. The cells are painted by the row templates."""

from typing import Any

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from mqtt.lists.paging import in_order

PER_PAGE = 50

NUM = {"th": {"class": "num"}}
HIDE = {"th": {"class": "hide"}}


class Column(tables.Column):  # type: ignore[misc]
    """A column whose empty cells stand at the end, whichever way round."""

    def order(self, queryset: Any, is_descending: bool) -> tuple[Any, bool]:
        """Order by the column's fields, the first of them turned round where asked."""
        terms = [str(term) for term in (self.order_by.opposite if is_descending else self.order_by)]
        return queryset.order_by(*map(in_order, terms)), True


def column(label: Any, *order_by: str, attrs: dict[str, Any] | None = None) -> Any:
    """A column sorted by these fields, the key last so that pages never overlap; without fields not sortable."""
    if not order_by:
        return tables.Column(verbose_name=label, empty_values=(), orderable=False, attrs=attrs or {})
    return Column(verbose_name=label, order_by=(*order_by, "pk"), attrs=attrs or {})


class ListTable(tables.Table):  # type: ignore[misc]
    """Base: `kind` names the row template and the rows' ids."""

    kind = ""

    class Meta:
        order_by_field = "sort"
        page_field = "page"
        per_page = PER_PAGE
        attrs = {"class": "cards"}


class ConnectionTable(ListTable):
    """Connections, worst first."""

    kind = "connection"
    name = column(_("Connection"), "name")
    status = column(_("Status"), "rank", "name")
    topics = column(_("Topics"), attrs=NUM)
    rate = column(_("Rate"), "activity__message_rate", attrs=NUM)
    heard = column(_("Heard"), "activity__last_message_at", attrs=NUM)
    actions = column("")

    class Meta(ListTable.Meta):
        order_by = ("status",)


class GatewayTable(ListTable):
    """Gateways, worst first."""

    kind = "gateway"
    name = column(_("Gateway"), "identifier")
    status = column(_("Status"), "rank", "identifier")
    place = column(_("Site"), "site__name")
    dataloggers = column(_("Dataloggers"), attrs=NUM)
    firmware = column(_("Firmware"), "firmware", attrs=HIDE)
    heard = column(_("Heard"), "state__last_seen_at", attrs=NUM)

    class Meta(ListTable.Meta):
        order_by = ("status",)


class DataloggerTable(ListTable):
    """Dataloggers, worst first."""

    kind = "datalogger"
    name = column(_("Datalogger"), "identifier")
    status = column(_("Status"), "rank", "identifier")
    gateway = column(_("Gateway"), "gateway__identifier")
    sensors = column(_("Sensors"), attrs=NUM)
    firmware = column(_("Firmware"), "firmware", attrs=HIDE)
    heard = column(_("Heard"), "state__last_seen_at", attrs=NUM)

    class Meta(ListTable.Meta):
        order_by = ("status",)


class SensorTable(ListTable):
    """Sensors, worst first."""

    kind = "sensor"
    name = column(_("Sensor"), "name")
    status = column(_("Status"), "rank", "datalogger__identifier", "name")
    datalogger = column(_("Datalogger"), "datalogger__identifier", "name")
    day = column(_("24 h"), attrs=HIDE)
    value = column(_("Value"), "state__value", attrs=NUM)
    heard = column(_("Heard"), "state__last_seen_at", attrs=NUM)

    class Meta(ListTable.Meta):
        order_by = ("status",)


class TopicTable(ListTable):
    """Topics, by name."""

    kind = "topic"
    topic = column(_("Topic"), "topic")
    connection = column(_("Connection"), "connection__name", "topic")
    payload = column(_("Last payload"), attrs=HIDE)
    decoder = column(pgettext_lazy("column", "Read as"), "decoder", "topic")
    messages = column(pgettext_lazy("column", "Messages"), "message_count", attrs=NUM)
    heard = column(_("Heard"), "last_seen_at", attrs=NUM)

    class Meta(ListTable.Meta):
        order_by = ("topic",)


class CommandTable(ListTable):
    """What was published, newest first."""

    kind = "command"
    asked = column(_("Asked"), "requested_at", attrs=NUM)
    topic = column(_("Topic"), "topic")
    payload = column(_("Message"))
    state = column(_("Status"), "effective_state", "requested_at")
    connection = column(_("Connection"), "connection__name")
    actor = column(_("Who"), "actor")

    class Meta(ListTable.Meta):
        order_by = ("-asked",)


class UndecodedTable(ListTable):
    """Messages that were not understood, newest first."""

    kind = "undecoded"
    topic = column(_("Topic"), "topic")
    reason = column(_("Why"), "reason")
    connection = column(_("Connection"), "connection__name")
    size = column(_("Bytes"), "size", attrs=NUM)
    received = column(_("Received"), "received_at", attrs=NUM)

    class Meta(ListTable.Meta):
        order_by = ("-received",)
