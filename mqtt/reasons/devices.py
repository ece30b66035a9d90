"""Why a device is online, late or offline."""

from typing import Any

from django.utils.translation import gettext_lazy as _

REASONS: dict[str, Any] = {
    "heard": _("It sent a message."),
    "said": _("It said so, or its last will did."),
    "device_silent": _("Nothing was heard from it for %(silence_seconds)s; how often it speaks is not known yet."),
    "device_silent_usually": _(
        "Nothing was heard from it for %(silence_seconds)s; usually something comes every %(interval_seconds)s."
    ),
    "gateway_offline": _("Its gateway is offline."),
    "datalogger_offline": _("Its datalogger is offline."),
}
