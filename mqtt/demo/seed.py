"""Rows that make the demo readable: its sites, and which of them takes devices without a prefix."""

from mqtt.demo.fleet import BRIDGE, TOWER
from mqtt.models import MqttConnection, Site

SITES = (
    {
        "name": "Torre Civica",
        "topic_prefix": f"{TOWER}/",
        "address": "Piazza del Podestà 1, Bergamo",
        "latitude": 45.7037,
        "longitude": 9.6625,
        "time_zone": "Europe/Rome",
        "contact": "Ufficio tecnico, 035 555 0142",
    },
    {
        "name": "Ponte sull’Adda",
        "topic_prefix": f"{BRIDGE}/",
        "address": "Via Alzaia 12, Trezzo sull’Adda",
        "latitude": 45.6093,
        "longitude": 9.5197,
        "time_zone": "Europe/Rome",
        "contact": "Guardia idraulica, 02 555 0198",
    },
)


def seed_demo() -> None:
    """Make the demo's sites where they are missing; what somebody changed or added stays as it is."""
    (home, is_new), *_ = [Site.objects.get_or_create(name=site["name"], defaults=site) for site in SITES]
    if is_new:
        # An update, not a save: it touches no status, so nobody has to be told.
        MqttConnection.objects.filter(site=None, host="127.0.0.1").update(site=home)
