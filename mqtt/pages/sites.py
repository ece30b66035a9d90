"""Sites: what stands there and how it fares, as a list and one by one."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.http import QueryDict

from mqtt.enums import Availability
from mqtt.lists import queries
from mqtt.lists.places import WAYS, stands_at, stands_somewhere
from mqtt.models import Datalogger, Gateway, Site
from mqtt.pages.base import STATES, Page, Part, Shown, Touch, register
from mqtt.pages.devices import CHILDREN
from mqtt.pages.notes import NOTES_PART
from mqtt.pages.object_page import ObjectPage
from mqtt.permissions import User, visible_to

PAGE_SIZE = 50


def standing_there(model: Any, user: User) -> QuerySet[Any]:
    """The devices of a kind that stand at some site."""
    devices: QuerySet[Any] = visible_to(user, model.objects.all()).with_availability()  # type: ignore[attr-defined]
    return devices.filter(stands_somewhere(model))


def roll_up(user: User) -> dict[int, dict[str, int]]:
    """{site: {availability: devices}} over gateways and dataloggers, in two queries for any number of sites."""
    counts: dict[int, dict[str, int]] = {}
    for model in (Gateway, Datalogger):
        grouped = standing_there(model, user).order_by().values_list(*WAYS[model], "effective_availability")
        for *ways, availability, devices in grouped.annotate(n=Count("pk")):
            of_site = counts.setdefault(next(filter(None, ways)), {})
            of_site[availability] = of_site.get(availability, 0) + devices
    return counts


def with_counts(user: User, sites: QuerySet[Site]) -> list[dict[str, Any]]:
    """Each site with its devices by availability, those that need somebody first."""
    found = roll_up(user)
    rows: list[dict[str, Any]] = []
    for site in sites:
        counts = {str(state): found.get(site.pk, {}).get(state, 0) for state in Availability}
        worst = next((str(state) for state in queries.AVAILABILITY_WORST_FIRST if counts[state]), "")
        rows.append({"site": site, "counts": counts, "worst": worst, "devices": sum(counts.values())})
    rows.sort(key=lambda row: (-row["counts"]["offline"], -row["counts"]["late"], row["site"].name.casefold()))
    return rows


def site_rows(shown: Shown) -> dict[str, Any]:
    """The rows of the asked page of the list."""
    sites = visible_to(shown.user, Site.objects.all())
    query = shown.params.get("q", "").replace("\0", "").strip()[:100]
    if query:
        sites = sites.filter(Q(name__icontains=query) | Q(address__icontains=query))
    page = Paginator(with_counts(shown.user, sites), PAGE_SIZE).get_page(shown.params.get("page"))
    params = shown.params.copy()
    params.pop("page", None)
    return {"page": page, "query": query, "others": params.urlencode()}


def summary(shown: Shown) -> dict[str, Any]:
    """One site's roll-up and facts."""
    return with_counts(shown.user, Site.objects.filter(pk=shown.object.pk))[0]


def devices_at(user: User, site: Site, kind: str) -> list[Any]:
    """The gateways or dataloggers of a site, worst first."""
    rows = queries.rows(kind, user)
    found = rows.filter(stands_at(rows.model, site))
    return queries.prepare(kind, found.order_by("rank", "identifier", "pk")[:CHILDREN])


class SiteListPage(Page):
    """All sites in one part: a roll-up is no row of one object."""

    name = "sites"
    parts = (Part("sites", "mqtt/parts/_sites.html", site_rows, every=2.0, on=STATES | {"site"}),)

    def show(self, user: User, params: QueryDict, pk: int = 0) -> Shown:
        """The list has no rows that change one by one."""
        return Shown(self, user, params)


class SitePage(ObjectPage):
    """One site: its devices hang on several connections, so every change of availability may be about it."""

    def affected(self, shown: Shown, touches: set[Touch], words: set[str]) -> list[Part]:
        """All parts when somebody wrote about the site, its roll-up with whatever device changed."""
        if (self.kind, shown.object.pk) in touches:
            return list(self.parts)
        return [part for part in self.parts if part is not NOTES_PART and part.on & words]


def _rows(user: User, site: Site) -> dict[str, dict[int, int]]:
    kinds = ("gateway", "datalogger")
    return {kind: {row.pk: row.connection_id for row in devices_at(user, site, kind)} for kind in kinds}


SITES = register(SiteListPage())
SITE = register(
    SitePage(
        name="sites",
        kind="site",
        parts=(Part("summary", "mqtt/parts/_site_summary.html", summary, element="p", every=2.0), NOTES_PART),
        rows=_rows,
        queryset=lambda user: visible_to(user, Site.objects.all()),
    )
)
