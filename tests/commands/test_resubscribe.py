import pytest
from django.core.management import CommandError, call_command

from mqtt.models import MqttConnection
from tests.factories import make_connection

pytestmark = pytest.mark.django_db


def asked() -> set[str]:
    return set(MqttConnection.objects.exclude(resubscribe_requested_at=None).values_list("name", flat=True))


def test_all_enabled_connections_are_asked_when_none_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    make_connection(name="Plant")
    make_connection(name="Off", is_enabled=False)
    call_command("resubscribe")
    assert asked() == {"Plant"}
    assert "Plant: asked to subscribe again" in capsys.readouterr().out


def test_connections_are_named_by_name_or_number() -> None:
    make_connection(name="Plant")
    other = make_connection(name="Mill")
    make_connection(name="Not asked")
    call_command("resubscribe", "Plant", str(other.pk))
    assert asked() == {"Plant", "Mill"}


def test_what_cannot_be_asked_says_why() -> None:
    make_connection(name="Off", is_enabled=False)
    with pytest.raises(CommandError, match="There is no connection 'Nowhere'"):
        call_command("resubscribe", "Nowhere")
    with pytest.raises(CommandError, match="Off"):
        call_command("resubscribe", "Off")
