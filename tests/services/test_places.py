import pytest

from mqtt.enums import AuditAction
from mqtt.models import AuditEntry, Datalogger, Gateway, MqttConnection, SensorDevice, Site
from mqtt.services import places
from mqtt.services.audit import Actor

pytestmark = [pytest.mark.django_db, pytest.mark.database]

ACTOR = Actor.command("test")


@pytest.fixture
def connection() -> MqttConnection:
    connection = MqttConnection(name="plant", host="h")
    connection.save(force_insert=True)
    return connection


def test_a_changed_prefix_brings_devices_without_a_site_and_takes_none(connection: MqttConnection) -> None:
    other = places.create_site(ACTOR, Site(name="Other"))
    ours = Gateway.objects.create(connection=connection, key="site_7/gw1", identifier="gw1")
    taken = Gateway.objects.create(connection=connection, key="site_7/gw2", identifier="gw2", site=other)
    spelled = Gateway.objects.create(connection=connection, key="SITE_7/gw3", identifier="gw3")
    similar = Datalogger.objects.create(connection=connection, key="siteX7/d", identifier="d")
    site = places.create_site(ACTOR, Site(name="Seven"))
    site.topic_prefix = "site_7/"
    places.update_site(ACTOR, site, ["topic_prefix", "name"])
    for device, expected in ((ours, site), (taken, other), (spelled, None), (similar, None)):
        device.refresh_from_db()
        assert device.site == expected
    entry = AuditEntry.objects.first()
    assert entry
    assert entry.details == {"topic_prefix": {"old": "", "new": "site_7/"}, "gateways": 1}


def test_deleting_a_site_leaves_its_devices_without_one(connection: MqttConnection) -> None:
    site = places.create_site(ACTOR, Site(name="Seven", topic_prefix="a/"))
    gateway = Gateway.objects.create(connection=connection, key="a/gw", identifier="gw", site=site)
    places.delete_site(ACTOR, site)
    gateway.refresh_from_db()
    assert gateway.site is None
    assert AuditEntry.objects.filter(action=AuditAction.DELETED, label="Seven").exists()


def test_a_label_is_written_alone_and_audited(connection: MqttConnection) -> None:
    logger = Datalogger.objects.create(connection=connection, key="d", identifier="d")
    sensor = SensorDevice.objects.create(connection=connection, key="d#t", datalogger=logger, name="t", unit="K")
    stale = SensorDevice.objects.get()
    SensorDevice.objects.update(unit="°C")
    stale.label = "Boiler"
    places.update_device(ACTOR, stale, ["label", "key"])
    sensor.refresh_from_db()
    assert (sensor.label, sensor.unit) == ("Boiler", "°C")
    entry = AuditEntry.objects.get()
    assert (entry.kind, entry.details) == ("sensor", {"label": {"old": "", "new": "Boiler"}})
