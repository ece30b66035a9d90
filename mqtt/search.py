"""Finding devices, topics, sites, connections and pages by words, in bounded queries."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, F, IntegerField, QuerySet, Value, When
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from mqtt.lists.words import holds
from mqtt.models import Datalogger, DiscoveredTopic, Gateway, MqttConnection, SensorDevice, Site
from mqtt.pages.base import list_url
from mqtt.permissions import ADMINISTER, CONFIGURE, VIEW, User, can, visible_to

SHORTEST = 2
LONGEST = 200
WORDS = 6
SHOWN = 10


@dataclass(frozen=True, slots=True)
class Hit:
    """One answer: where it leads, its name, and a line that tells it from others of that name."""

    url: str
    title: str
    line: str = ""
    is_topic: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """Answers of one kind; `more` is the list with the same words, when there are more than shown."""

    title: Any
    hits: list[Hit]
    more: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """Where to look for a kind: the first field is its name, matches at its beginning come first."""

    title: Any
    model: Any
    fields: tuple[str, ...]
    detail: str
    related: tuple[str, ...]
    line: tuple[str, ...]
    listing: str
    parameter: str = "search"


SOURCES = (
    Source(
        _("Connections"), MqttConnection, ("name", "host"), "connection-detail", (), ("address",), "connection-list"
    ),
    Source(_("Sites"), Site, ("name", "address"), "site-detail", (), ("address",), "site-list", "q"),
    Source(
        _("Gateways"),
        Gateway,
        ("identifier", "label", "key", "site__name"),
        "gateway-detail",
        ("site", "connection"),
        ("site", "key"),
        "gateway-list",
    ),
    Source(
        _("Dataloggers"),
        Datalogger,
        ("identifier", "label", "key", "site__name"),
        "datalogger-detail",
        ("site", "connection"),
        ("site", "key"),
        "datalogger-list",
    ),
    Source(
        _("Sensors"),
        SensorDevice,
        ("name", "label", "key", "datalogger__label", "datalogger__identifier"),
        "sensor-detail",
        ("datalogger", "connection"),
        ("datalogger", "key"),
        "sensor-list",
    ),
    Source(_("Topics"), DiscoveredTopic, ("topic",), "topic-detail", ("connection",), ("connection",), "topic-list"),
)

PAGES: tuple[tuple[str, Any, str], ...] = (
    ("overview", _("Overview"), VIEW),
    ("connection-list", _("Connections"), VIEW),
    ("connection-create", _("New connection"), CONFIGURE),
    ("site-list", _("Sites"), VIEW),
    ("site-create", _("New site"), CONFIGURE),
    ("gateway-list", _("Gateways"), VIEW),
    ("datalogger-list", _("Dataloggers"), VIEW),
    ("sensor-list", _("Sensors"), VIEW),
    ("topic-list", _("Topics"), VIEW),
    ("undecoded-list", _("Not understood"), VIEW),
    ("audit-list", _("Audit"), VIEW),
    ("account", _("Account"), VIEW),
    ("password-change", _("Change the password"), VIEW),
    ("token-list", _("API tokens"), VIEW),
    ("admin:index", _("Administration"), ADMINISTER),
)


def words_of(query: str) -> list[str]:
    """What to look for; an empty list when it is too short to mean anything."""
    text = query.replace("\0", "").strip()[:LONGEST]
    return text.split()[:WORDS] if len(text) >= SHORTEST else []


def search(user: User, query: str) -> list[Section]:
    """All that the user may see and that holds every word, ten of each kind."""
    words = words_of(query)
    if not words:
        return []
    sections = [_section(user, source, words) for source in SOURCES]
    pages = Section(_("Pages"), list(_pages(user, words)))
    return [section for section in (*sections, pages) if section.hits]


def _section(user: User, source: Source, words: list[str]) -> Section:
    found: QuerySet[Any] = visible_to(user, source.model.objects.all())
    for word in words:
        found = found.filter(holds(source.model, source.fields, word))
    name = source.fields[0]
    begins = Case(
        When(**{f"{name}__istartswith": words[0]}, then=Value(0)), default=Value(1), output_field=IntegerField()
    )
    # Keys first: sorting all matches with all their columns costs twice the time.
    keys = list(found.order_by(begins, F(name).asc(), "pk").values_list("pk", flat=True)[: SHOWN + 1])
    by_key = source.model.objects.select_related(*source.related).in_bulk(keys)
    rows = [by_key[key] for key in keys if key in by_key]
    more = list_url(source.listing, **{source.parameter: " ".join(words)}) if len(rows) > SHOWN else ""
    return Section(source.title, [_hit(source, row) for row in rows[:SHOWN]], more)


def _hit(source: Source, row: Any) -> Hit:
    parts = [str(getattr(row, name)) for name in source.line if getattr(row, name)]
    return Hit(reverse(source.detail, args=[row.pk]), str(row), " · ".join(parts), source.model is DiscoveredTopic)


def _pages(user: User, words: list[str]) -> Iterable[Hit]:
    for name, label, action in PAGES:
        if all(word.casefold() in str(label).casefold() for word in words) and can(user, action):
            yield Hit(reverse(name), str(label))
