from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client

from mqtt.encryption import decrypt, encrypt
from mqtt.models import ApiToken, AuditEntry, DeviceTask, MqttConnection, Site
from mqtt.services import connections as service
from mqtt.services import deletion, people
from mqtt.services.audit import Actor
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss(administrator: Any) -> Client:
    """A browser of somebody with the administrator's role."""
    people.set_role(Actor.command("test"), administrator, "administrator")
    browser = Client()
    browser.force_login(administrator)
    return browser


def everything() -> dict[str, Any]:
    """One row of every model, by model name."""
    gateway = factories.make_gateway(site=factories.make_site())
    sensor = factories.make_sensor(factories.make_datalogger(gateway=gateway), label="<b>bold</b>")
    factories.make_reading(sensor, value=4711.5)
    connection = factories.make_connection(activity={"messages_total": 1}, password_token=encrypt("tr0mbone"))
    user = User.objects.first()
    assert user
    return {
        "site": gateway.site, "mqttconnection": connection, "topicsubscription": connection.subscriptions.get(),
        "gateway": gateway, "datalogger": sensor.datalogger, "sensordevice": sensor,
        "sensorcorrection": factories.make_correction(sensor, reason="<i>x</i>"),
        "devicealias": gateway.aliases.create(connection=gateway.connection, kind="gateway", key="old"),
        "note": factories.make_note(sensor, text="<i>x</i>"),
        "devicetask": DeviceTask.objects.create(
            work="delete", connection=connection, kind="sensor", object_id=1, label="<i>x</i>", sensors=[1]
        ),
        "discoveredtopic": factories.make_topic(), "undecodedmessage": factories.make_undecoded(),
        "statuschange": factories.make_status_change(connection), "connectionlease": connection.lease,
        "connectionactivity": connection.activity, "connectiontest": connection.tests.create(),
        "apitoken": ApiToken.objects.create(user=user, name="t", digest="d" * 64),
        "auditentry": AuditEntry.objects.create(actor="a", via="web", action="created", kind="site", label="<i>x</i>"),
    }  # fmt: skip


def form_data(**values: Any) -> dict[str, Any]:
    """What the browser sends for a connection with its filters."""
    filters = values.pop("filters", ("#",))
    data = {
        "name": "plant", "host": "broker.example.org", "port": 1883, "transport": "tcp", "protocol": "3.1.1",
        "websocket_path": "/mqtt", "client_id": "vedetta-1", "keepalive": 30, "tls_verify": "on", "is_enabled": "on",
        "subscriptions-TOTAL_FORMS": len(filters), "subscriptions-INITIAL_FORMS": 0,
    }  # fmt: skip
    for number, one in enumerate(filters):
        data |= {
            f"subscriptions-{number}-topic_filter": one,
            f"subscriptions-{number}-qos": 1,
            f"subscriptions-{number}-is_active": "on",
        }
    return data | values


def stored_filters(connection: MqttConnection, filters: tuple[str, ...]) -> dict[str, Any]:
    """The same for a connection whose filters are rows already."""
    data = form_data(name=connection.name, client_id=connection.client_id, host=connection.host, filters=filters)
    data["subscriptions-INITIAL_FORMS"] = len(filters)
    for number, row in enumerate(connection.subscriptions.all()):
        data[f"subscriptions-{number}-id"] = row.pk
        data[f"subscriptions-{number}-connection"] = connection.pk
    return data


def test_every_model_but_the_history_is_there(boss: Client) -> None:
    registered = {model for model in admin.site._registry if model._meta.app_label == "mqtt"}
    rhythms = {"ConnectionRhythm", "GatewayRhythm", "DataloggerRhythm", "SensorRhythm"}
    inside_others = rhythms | {"GatewayState", "DataloggerState", "SensorState", "Reading", "CommittedPackets"}
    inside_others |= {"Rollup", "RollupDue", "ClockMark"}
    assert {model.__name__ for model in apps.get_app_config("mqtt").get_models()} - inside_others == {
        model.__name__ for model in registered
    }


def test_every_list_and_page_opens_and_shows_no_secret(boss: Client, django_assert_max_num_queries: Any) -> None:
    for name, row in everything().items():
        for path in ("", "?q=a", f"{row.pk}/change/"):
            with django_assert_max_num_queries(25):
                page = boss.get(f"/admin/mqtt/{name}/{path}")
            assert page.status_code == 200, (name, path)
            text = page.content.decode()
            for secret in ("tr0mbone", "gAAAA", "<b>bold</b>", "<i>x</i>", "d" * 64):
                assert secret not in text, (name, path, secret)
    assert boss.get("/admin/auth/user/").status_code == 200


@pytest.mark.parametrize(
    "name", ["mqttconnection", "sensordevice", "datalogger", "gateway", "discoveredtopic", "undecodedmessage"]
)
def test_a_list_costs_the_same_for_one_and_for_three(
    boss: Client, name: str, django_assert_max_num_queries: Any
) -> None:
    everything()
    with django_assert_max_num_queries(30) as first:
        boss.get(f"/admin/mqtt/{name}/")
    for _ in range(2):
        gateway = factories.make_gateway(site=factories.make_site())
        factories.make_sensor(factories.make_datalogger(gateway=gateway))
        factories.make_topic(gateway.connection)
        factories.make_undecoded(gateway.connection)
    with django_assert_max_num_queries(len(first)):
        boss.get(f"/admin/mqtt/{name}/")


def test_a_connection_is_made_through_the_service(boss: Client) -> None:
    answer = boss.post("/admin/mqtt/mqttconnection/add/", form_data(password="tr0mbone", filters=("a/#", "b")))
    assert answer.status_code == 302, answer.context["errors"]
    made = MqttConnection.objects.get()
    assert made.status == "connecting"
    assert decrypt(made.password_token) == "tr0mbone"
    assert list(made.subscriptions.values_list("topic_filter", flat=True)) == ["a/#", "b"]
    entry = AuditEntry.objects.get(action="created")
    assert (entry.via, entry.details["password"]) == ("admin", "changed")


def test_an_edit_names_its_fields_and_leaves_the_live_status_alone(boss: Client) -> None:
    connection = factories.make_connection(password_token=encrypt("old"), filters=("a", "b"), status="connecting")
    data = stored_filters(connection, ("a", "c")) | {"username": "ada", "password_change": "keep"}
    MqttConnection.objects.update(status="connected")
    answer = boss.post(f"/admin/mqtt/mqttconnection/{connection.pk}/change/", data)
    assert answer.status_code == 302, answer.context["errors"]
    stored = MqttConnection.objects.get()
    assert (stored.username, stored.status, stored.settings_revision) == ("ada", "connected", 2)
    assert decrypt(stored.password_token) == "old"
    assert set(stored.subscriptions.values_list("topic_filter", flat=True)) == {"a", "c"}
    details = AuditEntry.objects.get(action="changed").details
    assert details["username"] == {"old": "", "new": "ada"}
    assert {"filter b", "filter c"} <= details.keys()


def test_a_stored_password_does_not_follow_to_another_host(boss: Client) -> None:
    connection = factories.make_connection(password_token=encrypt("old"))
    data = stored_filters(connection, ("a",)) | {"host": "evil.example", "password_change": "keep"}
    answer = boss.post(f"/admin/mqtt/mqttconnection/{connection.pk}/change/", data)
    assert answer.status_code == 200
    assert "password" in answer.context["adminform"].form.errors
    assert MqttConnection.objects.get().host == connection.host


def test_overlapping_filters_are_told_at_their_row(boss: Client) -> None:
    answer = boss.post("/admin/mqtt/mqttconnection/add/", form_data(filters=("a/#", "a/b")))
    assert answer.status_code == 200
    assert "cover the same topics" in answer.content.decode()
    assert not MqttConnection.objects.exists()


def test_what_the_service_refuses_is_a_sentence(boss: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = factories.make_connection()

    def refuse(*_: Any, **__: Any) -> None:
        raise service.ServiceError("name_taken", name="plant")

    monkeypatch.setattr(service, "update_connection", refuse)
    data = stored_filters(connection, ("#",))
    page = boss.post(f"/admin/mqtt/mqttconnection/{connection.pk}/change/", data, follow=True)
    assert "The name plant is taken" in page.content.decode()


def test_actions_go_through_the_services(boss: Client) -> None:
    connection = factories.make_connection(leased=False)
    for action, enabled in (("disable", False), ("enable", True), ("resubscribe", True)):
        page = boss.post(
            "/admin/mqtt/mqttconnection/", {"action": action, "_selected_action": [connection.pk]}, follow=True
        )
        assert "Done for 1 connection" in page.content.decode(), action
        connection.refresh_from_db()
        assert connection.is_enabled is enabled
    assert list(AuditEntry.objects.filter(via="admin").order_by("id").values_list("action", "via")) == [
        ("disabled", "admin"), ("enabled", "admin"), ("resubscribed", "admin"),
    ]  # fmt: skip


def test_deleting_goes_through_the_service(boss: Client) -> None:
    connection = factories.make_connection()
    factories.make_reading(factories.make_sensor(factories.make_datalogger(connection)))
    asked = boss.get(f"/admin/mqtt/mqttconnection/{connection.pk}/delete/")
    assert asked.status_code == 200
    boss.post(f"/admin/mqtt/mqttconnection/{connection.pk}/delete/", {"post": "yes"}, follow=True)
    assert not MqttConnection.objects.exists()
    assert deletion.leaving().get().pk == connection.pk
    several = [factories.make_connection().pk for _ in range(2)]
    boss.post(
        "/admin/mqtt/mqttconnection/",
        {"action": "delete_selected", "_selected_action": several, "post": "yes"},
    )
    assert not MqttConnection.objects.exists()
    assert AuditEntry.objects.filter(action="deleted").count() == 3


def test_sites_and_labels_are_audited(boss: Client) -> None:
    boss.post("/admin/mqtt/site/add/", {"name": "North", "topic_prefix": "n/"})
    site = Site.objects.get()
    sensor = factories.make_sensor()
    given = {"label": "Boiler", "unit": "K", "kind": sensor.kind, "key": "hacked"}
    answer = boss.post(f"/admin/mqtt/sensordevice/{sensor.pk}/change/", given)
    assert answer.status_code == 302
    sensor.refresh_from_db()
    assert (sensor.label, sensor.unit) == ("Boiler", "K")
    assert sensor.key != "hacked"
    boss.post(f"/admin/mqtt/site/{site.pk}/delete/", {"post": "yes"})
    assert not Site.objects.exists()
    assert list(AuditEntry.objects.filter(via="admin").order_by("id").values_list("action", "kind")) == [
        ("created", "site"), ("changed", "sensor"), ("deleted", "site"),
    ]  # fmt: skip


def test_a_sensor_shows_its_last_readings_as_text(boss: Client) -> None:
    sensor = factories.make_sensor(unit="<u>")
    factories.make_reading(sensor, value=4711.25)
    factories.make_reading(sensor, value=None, text="<script>alert(1)</script>")
    page = boss.get(f"/admin/mqtt/sensordevice/{sensor.pk}/change/").content.decode()
    assert "4711.25" in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page


@pytest.mark.parametrize("role", ["stranger", "viewer", "operator"])
def test_the_admin_site_is_for_administrators(role: str, request: pytest.FixtureRequest) -> None:
    user = request.getfixturevalue(role)
    browser = Client()
    assert browser.get("/admin/", follow=True).redirect_chain[-1][0].startswith("/login/?next=/admin/")
    browser.force_login(user)
    assert browser.get("/admin/", follow=True).status_code == 403


def test_a_role_is_given_and_audited(boss: Client, stranger: Any) -> None:
    path = f"/admin/auth/user/{stranger.pk}/change/"
    assert boss.get(path).status_code == 200
    data = {"username": "stranger", "is_active": "on", "role": "operator", "is_superuser": "on", "is_staff": "on"}
    assert boss.post(path, data).status_code == 302
    stranger.refresh_from_db()
    assert people.role_of(stranger) == "operator"
    assert not stranger.is_superuser
    assert not stranger.is_staff
    entry = AuditEntry.objects.get(action="role_set", label="stranger")
    assert entry.details == {"role": {"old": "", "new": "operator"}}


def test_the_last_administrator_cannot_remove_themselves(boss: Client, administrator: Any) -> None:
    path = f"/admin/auth/user/{administrator.pk}/change/"
    for change in ({"role": "viewer", "is_active": "on"}, {"role": "administrator"}):
        page = boss.post(path, {"username": "administrator", **change})
        assert "last administrator" in page.content.decode()
    assert boss.post(f"/admin/auth/user/{administrator.pk}/delete/", {"post": "yes"}).status_code == 403


def test_an_administrator_is_no_way_to_a_superuser(boss: Client) -> None:
    root = User.objects.create_superuser("root", password="root-password")
    for path in ("change", "password", "delete"):
        answer = boss.post(
            f"/admin/auth/user/{root.pk}/{path}/",
            {"post": "yes", "password1": "owned-12345", "password2": "owned-12345"},
        )
        assert answer.status_code == 403, path
    root.refresh_from_db()
    assert root.check_password("root-password")


def test_a_password_set_for_somebody_is_audited(boss: Client, viewer: Any) -> None:
    answer = boss.post(
        f"/admin/auth/user/{viewer.pk}/password/",
        {"usable_password": "true", "password1": "quiet-tr0mbone", "password2": "quiet-tr0mbone"},
    )
    assert answer.status_code == 302
    viewer.refresh_from_db()
    assert viewer.check_password("quiet-tr0mbone")
    assert AuditEntry.objects.get(action="password_set").label == "viewer"


def test_a_token_is_revoked_through_the_service(boss: Client, viewer: Any) -> None:
    token = ApiToken.objects.create(user=viewer, name="grafana", digest="x")
    boss.post(f"/admin/mqtt/apitoken/{token.pk}/delete/", {"post": "yes"})
    assert not ApiToken.objects.exists()
    assert AuditEntry.objects.get(via="admin").action == "revoked"


def test_an_unknown_or_odd_id_is_no_failure(boss: Client) -> None:
    for name in everything():
        for pk in ("999999", "x", "1'", "_5C"):
            answer = boss.get(f"/admin/mqtt/{name}/{pk}/change/", follow=True)
            assert answer.status_code in {200, 404}, (name, pk)


def test_the_administration_speaks_the_readers_language(boss: Client) -> None:
    objects = everything()
    for name, shown in (("mqttconnection", "Ultima connessione"), ("devicetask", "Fatto finora")):
        page = boss.get(f"/admin/mqtt/{name}/{objects[name].pk}/change/", headers={"accept-language": "it"})
        assert shown in page.content.decode(), name


def test_the_list_of_accounts_names_roles_in_the_readers_language(boss: Client, viewer: Any) -> None:
    page = boss.get("/admin/auth/user/", headers={"Accept-Language": "it"}).content.decode()
    assert 'class="field-role">osservatore<' in page


def test_the_list_of_what_was_done_says_it_in_the_readers_language(boss: Client) -> None:
    for action in ("role_set", "of_an_older_version"):
        AuditEntry.objects.create(actor="rossi", via="web", action=action, kind="user", label="vera")
    page = boss.get("/admin/mqtt/auditentry/", headers={"Accept-Language": "it"}).content.decode()
    assert 'class="field-done">ruolo impostato<' in page
    assert 'class="field-done">of_an_older_version<' in page


def test_no_field_of_the_administration_is_called_by_its_code_name() -> None:
    site: Any = admin.site._registry
    ours = [model for model in site if model._meta.app_label == "mqtt"]
    assert ours
    unnamed = [
        f"{model.__name__}.{field.name}"
        for model in ours
        for field in model._meta.fields
        if isinstance(field.verbose_name, str)
    ]
    assert not unnamed, "admin/words.py has a word for each"
