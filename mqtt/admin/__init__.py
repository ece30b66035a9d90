"""The admin site: everything in the database, seen by administrators; changes go through the services."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from mqtt.admin import connections, devices, people, records

admin.site.site_header = admin.site.site_title = _("Vedetta administration")
admin.site.index_title = _("All data")

__all__ = ["connections", "devices", "people", "records"]
