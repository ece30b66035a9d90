"""Forms of the console's pages; each works without JavaScript."""

from mqtt.forms.account import TokenForm
from mqtt.forms.connection import ConnectionForm
from mqtt.forms.device import DataloggerForm, GatewayForm, SensorForm
from mqtt.forms.publish import PublishForm
from mqtt.forms.site import SiteForm
from mqtt.forms.subscriptions import posted_filters, shown_filters

__all__ = [
    "ConnectionForm",
    "DataloggerForm",
    "GatewayForm",
    "PublishForm",
    "SensorForm",
    "SiteForm",
    "TokenForm",
    "posted_filters",
    "shown_filters",
]
