"""What the connection form takes, refuses, and never shows."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from django.http import QueryDict

from mqtt.encryption import encrypt
from mqtt.forms import ConnectionForm, posted_filters, shown_filters
from mqtt.models import MqttConnection
from mqtt.services.connections import Secrets
from tests.factories import make_connection

pytestmark = pytest.mark.django_db


def posted(**fields: Any) -> QueryDict:
    data = QueryDict(mutable=True)
    data.update(
        {
            "name": "Plant",
            "host": "broker.example",
            "port": "1883",
            "transport": "tcp",
            "websocket_path": "/mqtt",
            "protocol": "3.1.1",
            "client_id": "plant-1",
            "keepalive": "30",
            "tls_verify": "on",
            "is_enabled": "on",
        }
        | fields
    )
    return data


def filters(*rows: str, **more: Any) -> QueryDict:
    data = QueryDict(mutable=True)
    data.update({"filters-TOTAL_FORMS": str(len(rows)), "filters-INITIAL_FORMS": "0"})
    for number, row in enumerate(rows):
        data.update({f"filters-{number}-topic_filter": row, f"filters-{number}-qos": "1"})
        data[f"filters-{number}-is_active"] = "on"
    data.update(more)
    return data


def certificate_and_key(name: str) -> tuple[str, str]:
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(who, who, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.PEM)
    )
    return certificate.decode(), key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def test_the_usual_settings_are_good() -> None:
    form = ConnectionForm(posted())
    assert form.is_valid(), form.errors
    assert form.secrets() == Secrets(password=None, client_key=None)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("host", "mqtt://broker.example"),
        ("host", "broker.example:1883"),
        ("host", "-broker"),
        ("host", ""),
        ("port", "0"),
        ("port", "65536"),
        ("port", "mqtt"),
        ("client_id", "with blank"),
        ("client_id", ""),
        ("name", "nul\0"),
        ("keepalive", "1"),
        ("transport", "udp"),
        ("protocol", "4"),
        ("ca_certificate", "no certificate"),
        ("ca_certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"),
        ("client_key", "-----BEGIN PRIVATE KEY-----\nnonsense\n-----END PRIVATE KEY-----"),
    ],
)
def test_a_bad_value_is_an_error_at_its_field(field: str, value: str) -> None:
    form = ConnectionForm(posted(**{field: value}))
    assert not form.is_valid()
    assert field in form.errors


def test_brackets_of_an_ipv6_address_are_taken_off() -> None:
    form = ConnectionForm(posted(host="[2001:db8::1]"))
    assert form.is_valid(), form.errors
    assert form.instance.address == "[2001:db8::1]:1883"


def test_a_websocket_path_begins_with_a_slash() -> None:
    assert "websocket_path" in ConnectionForm(posted(transport="wss", websocket_path="mqtt")).errors
    assert ConnectionForm(posted(transport="tcp", websocket_path="")).is_valid()


def test_two_connections_cannot_share_a_name_or_a_client_id() -> None:
    make_connection(name="Plant", client_id="plant-1")
    errors = ConnectionForm(posted()).errors
    assert errors["name"] == ["Another connection has this name."]
    assert errors["client_id"] == ["Another connection uses this client id."]


def test_a_stored_password_is_kept_replaced_or_cleared() -> None:
    connection = make_connection(name="Plant", client_id="plant-1", password_token=encrypt("s3cret-stored"))

    def secrets(**fields: Any) -> Any:
        form = ConnectionForm(posted(**fields), instance=MqttConnection.objects.get(pk=connection.pk))
        return form.secrets().password if form.is_valid() else set(form.errors)

    assert secrets(password_change="keep") is None
    assert secrets() is None
    assert secrets(password_change="replace", password=" new ") == " new ", "blanks may belong to a password"
    assert secrets(password_change="keep", password="typed") == "typed"
    assert secrets(password_change="clear") == ""
    assert secrets(password_change="replace") == {"password"}
    assert secrets(password_change="clear", password="typed") == {"password"}


@pytest.mark.parametrize("move", [{"host": "evil.example"}, {"port": "1999"}, {"transport": "ws"}])
def test_a_stored_password_does_not_follow_to_another_address(move: dict[str, str]) -> None:
    stored = make_connection(
        name="Plant", client_id="plant-1", host="broker.example", port=1883, password_token=encrypt("old")
    )
    assert ConnectionForm(posted(password_change="keep"), instance=stored).is_valid()
    kept = ConnectionForm(posted(password_change="keep", **move), instance=stored)
    assert list(kept.errors) == ["password"]
    for answer in ({"password": "again"}, {"password_change": "clear"}):
        stored.refresh_from_db()
        assert ConnectionForm(posted(**move, **answer), instance=stored).is_valid()


def test_secrets_never_reach_the_page() -> None:
    _, key = certificate_and_key("plant")
    connection = make_connection(password_token=encrypt("s3cret-stored"), client_key_token=encrypt(key))
    page = str(ConnectionForm(instance=connection))
    assert "s3cret-stored" not in page
    assert key.splitlines()[1] not in page
    assert connection.password_token not in page
    again = str(ConnectionForm(posted(password="s3cret-typed", host=""), instance=connection))
    assert "s3cret-typed" not in again


def test_a_client_certificate_needs_the_key_that_belongs_to_it() -> None:
    certificate, key = certificate_and_key("plant")
    _, other = certificate_and_key("other")
    assert ConnectionForm(posted(client_certificate=certificate, client_key=key)).is_valid()
    assert "client_key" in ConnectionForm(posted(client_certificate=certificate)).errors
    assert "client_certificate" in ConnectionForm(posted(client_key=key)).errors
    assert "client_key" in ConnectionForm(posted(client_certificate=certificate, client_key=other)).errors


def test_a_stored_key_counts_for_its_certificate() -> None:
    certificate, key = certificate_and_key("plant")
    connection = make_connection(client_certificate=certificate, client_key_token=encrypt(key))
    form = ConnectionForm(posted(client_certificate=certificate), instance=connection)
    assert form.is_valid(), form.errors


def test_a_key_under_a_lost_encryption_key_does_not_break_the_form() -> None:
    certificate, _ = certificate_and_key("plant")
    connection = make_connection(client_certificate=certificate, client_key_token="unreadable")
    assert ConnectionForm(posted(client_certificate=certificate), instance=connection).is_valid()


def test_a_new_connection_starts_with_a_filter_for_everything() -> None:
    rows = shown_filters(MqttConnection())
    assert [row["topic_filter"].value() for row in rows] == ["#"]


def test_overlapping_filters_name_each_other() -> None:
    rows = posted_filters(filters("site/#", "other/+", "site/+/value"))
    assert not rows.is_valid()
    assert "site/#" in rows.forms[2].errors["topic_filter"][0]
    assert not rows.forms[0].errors


def test_a_paused_filter_overlaps_with_nobody() -> None:
    data = filters("site/#", "site/+/value")
    del data["filters-1-is_active"]
    assert posted_filters(data).is_valid()


def test_the_same_filter_twice_is_an_error() -> None:
    assert not posted_filters(filters("a/b", "a/b")).is_valid()


@pytest.mark.parametrize("wrong", ["site/#/x", "a+/b", "$share//x", "#x"])
def test_a_filter_follows_the_rules_of_mqtt(wrong: str) -> None:
    rows = posted_filters(filters("fine", wrong))
    assert not rows.is_valid()
    assert rows.forms[1].errors["topic_filter"]


def test_qos_2_is_a_field_error() -> None:
    rows = posted_filters(filters("a", **{"filters-0-qos": "2"}))
    assert not rows.is_valid()
    assert "qos" in rows.forms[0].errors


def test_empty_and_removed_rows_are_left_out() -> None:
    rows = posted_filters(filters("a", "", "b", **{"filters-2-DELETE": "on"}))
    assert rows.is_valid(), rows.errors
    assert [one.topic_filter for one in rows.subscriptions()] == ["a"]


def test_a_removed_row_overlaps_with_nobody() -> None:
    rows = posted_filters(filters("#", "a/b", **{"filters-0-DELETE": "on"}))
    assert rows.is_valid(), rows.errors


def test_no_filter_at_all_is_an_error() -> None:
    rows = posted_filters(filters(""))
    assert not rows.is_valid()
    assert rows.non_form_errors()


@pytest.mark.parametrize("count", ["", "x", "-1", "99999999999", "²"])
def test_a_mangled_row_count_is_no_crash(count: str) -> None:
    data = filters("a", **{"filters-TOTAL_FORMS": count})
    assert not posted_filters(data.copy()).is_valid()
    assert len(posted_filters(data, one_more=True).forms) >= 1


def test_one_more_row_keeps_what_was_typed_and_complains_about_nothing() -> None:
    rows = posted_filters(filters("a/#/b"), one_more=True)
    assert [row["topic_filter"].value() for row in rows] == ["a/#/b", None]
    assert not rows.forms[0].errors
    assert rows.forms[1]["is_active"].value()
