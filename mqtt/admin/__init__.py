"""The admin site: everything in the database, seen by administrators; changes go through the services."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from mqtt.admin import connections, devices, people, records, words

admin.site.site_header = admin.site.site_title = _("Vedetta administration")
admin.site.index_title = _("All data")
words.give_words()

__all__ = ["connections", "devices", "people", "records", "words"]
