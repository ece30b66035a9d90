"""Sites: a roll-up of what stands there, and their settings."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from mqtt import reasons
from mqtt.exceptions import ServiceError
from mqtt.forms import SiteForm
from mqtt.forms.site import known_zones
from mqtt.models import Site
from mqtt.pages import sites
from mqtt.pages.base import list_url
from mqtt.permissions import CONFIGURE, VIEW, visible_to
from mqtt.services import places
from mqtt.services.audit import Actor
from mqtt.views.details import object_page
from mqtt.views.guard import needs


@needs(VIEW)
@require_safe
def site_list(request: HttpRequest) -> HttpResponse:
    """All sites, those that need somebody first."""
    shown = sites.SITES.show(request.user, request.GET.copy())
    return render(request, "mqtt/site_list.html", {"shown": shown, "live_socket": shown.socket if shown else ""})


@needs(VIEW)
@require_safe
def site_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One site with its gateways and dataloggers."""
    context = object_page(request, sites.SITE, pk, "mqtt/site_detail.html")
    site = context["object"]
    kinds = ("gateway", "datalogger")
    context |= {
        "site": site,
        "devices": {kind: sites.devices_at(request.user, site, kind) for kind in kinds},
        "urls": {kind: list_url(f"{kind}-list", site=pk) for kind in kinds},
        "connections": visible_to(request.user, site.connections.with_effective_status()),
    }
    return render(request, context["template"], context)


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
        return render(
            request, "mqtt/site_delete.html", {"row": sites.with_counts(request.user, Site.objects.filter(pk=pk))[0]}
        )
    places.delete_site(Actor.of(request.user, "web"), site)
    messages.success(request, _("%(name)s is deleted. Its devices are now without a site.") % {"name": site.name})
    return redirect("site-list")


def _edit(request: HttpRequest, site: Site) -> HttpResponse:
    name = site.name
    form = SiteForm(request.POST or None, instance=site)
    if request.method == "POST" and form.is_valid():
        actor = Actor.of(request.user, "web")
        try:
            if site.pk:
                places.update_site(actor, site, form.changed_data)
            else:
                places.create_site(actor, site)
        except ServiceError as error:
            form.add_error(None, reasons.explain(error.code, error.context))
        else:
            messages.success(request, _("%(name)s is saved.") % {"name": site.name})
            return redirect("site-detail", site.pk)
    context = {"form": form, "site": site if site.pk else None, "name": name, "zones": known_zones()}
    return render(request, "mqtt/site_form.html", context)
