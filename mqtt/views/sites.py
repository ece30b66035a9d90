"""Sites: a roll-up of what stands there, and their settings."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, F, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from mqtt.enums import Availability
from mqtt.forms import SiteForm
from mqtt.models import Datalogger, Gateway, Site
from mqtt.permissions import CONFIGURE, VIEW, visible_to
from mqtt.services import places
from mqtt.services.audit import Actor
from mqtt.views.guard import needs

PAGE_SIZE = 50


def roll_up(devices: QuerySet[Any]) -> dict[int, dict[str, int]]:
    """{site id: {availability: devices}} in one query, whatever the number of sites."""
    rows = (
        devices.filter(site__isnull=False)
        .with_availability()  # type: ignore[attr-defined]
        .values("site_id", "effective_availability")
        .annotate(devices=Count("pk"))
        .order_by()
    )
    counts: dict[int, dict[str, int]] = {}
    for row in rows:
        counts.setdefault(row["site_id"], {})[row["effective_availability"]] = row["devices"]
    return counts


def _with_counts(sites: QuerySet[Site]) -> list[dict[str, Any]]:
    """Each site with its gateways and dataloggers by availability, the worst first."""
    dataloggers, gateways = roll_up(Datalogger.objects.all()), roll_up(Gateway.objects.all())
    rows: list[dict[str, Any]] = []
    for site in sites:
        parts = [dataloggers.get(site.pk, {}), gateways.get(site.pk, {})]
        counts = {str(state): sum(part.get(state, 0) for part in parts) for state in Availability}
        worst = next((state for state in ("offline", "late", "unknown", "online") if counts[state]), "")
        rows.append({"site": site, "counts": counts, "worst": worst, "devices": sum(counts.values())})
    rows.sort(key=lambda row: (-row["counts"]["offline"], -row["counts"]["late"], row["site"].name.casefold()))
    return rows


@needs(VIEW)
@require_safe
def site_list(request: HttpRequest) -> HttpResponse:
    """All sites, those that need somebody first."""
    sites = visible_to(request.user, Site.objects.all())
    query = request.GET.get("q", "").replace("\0", "").strip()[:100]
    if query:
        sites = sites.filter(Q(name__icontains=query) | Q(address__icontains=query))
    page = Paginator(_with_counts(sites), PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "mqtt/site_list.html", {"page": page, "query": query})


@needs(VIEW)
@require_safe
def site_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One site with its gateways and dataloggers."""
    site = get_object_or_404(visible_to(request.user, Site.objects.all()), pk=pk)
    rank = {"offline": 0, "late": 1, "unknown": 2, "online": 3}
    shown, total = [], 0
    for model in (Gateway, Datalogger):
        devices: Any = model.objects.filter(site=site)
        total += devices.count()
        found = devices.with_availability().select_related("connection", "state")
        shown += list(found.order_by(F("state__availability").desc(nulls_last=True), "identifier")[:PAGE_SIZE])
    shown.sort(key=lambda device: rank.get(device.effective_availability, 2))
    context = {
        "site": site,
        "summary": _with_counts(Site.objects.filter(pk=pk))[0],
        "devices": shown,
        "total": total,
        "connections": visible_to(request.user, site.connections.with_effective_status()),
    }
    return render(request, "mqtt/site_detail.html", context)


@needs(CONFIGURE)
@require_http_methods(["GET", "POST"])
def site_create(request: HttpRequest) -> HttpResponse:
    """A new site."""
    return _edit(request, Site())


@needs(CONFIGURE)
@require_http_methods(["GET", "POST"])
def site_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """The facts of a site."""
    return _edit(request, get_object_or_404(visible_to(request.user, Site.objects.all()), pk=pk))


@needs(CONFIGURE)
@require_http_methods(["GET", "POST"])
def site_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a site on the second click; its devices stay."""
    site = get_object_or_404(visible_to(request.user, Site.objects.all()), pk=pk)
    if request.method == "GET":
        return render(request, "mqtt/site_delete.html", {"row": _with_counts(Site.objects.filter(pk=pk))[0]})
    places.delete_site(Actor.of(request.user, "web"), site)
    messages.success(request, _("%(name)s is deleted. Its devices are now without a site.") % {"name": site.name})
    return redirect("site-list")


def _edit(request: HttpRequest, site: Site) -> HttpResponse:
    name = site.name
    form = SiteForm(request.POST or None, instance=site)
    if request.method == "POST" and form.is_valid():
        actor = Actor.of(request.user, "web")
        if site.pk:
            places.update_site(actor, site, form.changed_data)
        else:
            places.create_site(actor, site)
        messages.success(request, _("%(name)s is saved.") % {"name": site.name})
        return redirect("site-detail", site.pk)
    context = {"form": form, "site": site if site.pk else None, "name": name}
    return render(request, "mqtt/site_form.html", context, status=422 if form.errors else 200)
