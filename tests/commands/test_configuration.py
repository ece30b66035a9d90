"""The configuration out of one console and into another."""

import errno
import io
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mqtt.encryption import decrypt, encrypt
from mqtt.exceptions import ConfigurationError
from mqtt.models import (
    AuditEntry,
    Gateway,
    Mapping,
    MqttConnection,
    Note,
    SensorCorrection,
    Site,
    TopicSubscription,
)
from mqtt.services.configuration import document
from tests import factories
from tests.certificates import Authority

pytestmark = [pytest.mark.django_db, pytest.mark.database, pytest.mark.usefixtures("valkey")]


LAUGHS = "vedetta: 1\nsites:\n- name: &a0 [x, x]\n" + "".join(
    f"- name: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
)
"""A few hundred bytes that are thirty thousand million values."""


def exported(*words: str) -> str:
    output = io.StringIO()
    call_command("export_config", *words, stdout=output)
    return output.getvalue()


def imported(text: str, tmp_path: Path, *words: str) -> str:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    output = io.StringIO()
    call_command("import_config", str(path), *words, stdout=output)
    return output.getvalue()


def refused(text: str, tmp_path: Path) -> str:
    with pytest.raises(CommandError) as error:
        imported(text, tmp_path)
    return str(error.value)


def fill() -> MqttConnection:
    site = factories.make_site(name="Mill", latitude=45.4, time_zone="Europe/Rome", topic_prefix="mill/")
    plant = factories.make_connection(
        name="Plant", host="broker.example", port=8883, transport="tls", site=site, filters=("a/#", "b/+"),
        client_id="vedetta-0123456789ab", password_token=encrypt(" tr0mbone "), username="é",
    )  # fmt: skip
    TopicSubscription.objects.filter(topic_filter="b/+").update(qos=0, is_active=False)
    factories.make_connection(name="Other", client_id="chosen-by-hand", is_enabled=False)
    gateway = factories.make_gateway(plant, key="mill/g1", label="North", site=site)
    factories.make_sensor(factories.make_datalogger(gateway=gateway), label="Crack 3", name="w1")
    factories.make_gateway(plant, key="nothing/written")
    Mapping.objects.create(
        name="Box", connection=plant, topic_pattern="box/{name}/#", device="{name}",
        values=[{"path": "t", "name": "temperature", "name_path": "", "unit": "°C", "kind": ""}],
    )  # fmt: skip
    return plant


def clear() -> None:
    Mapping.objects.all().delete()
    MqttConnection.objects.all().delete()
    Site.objects.all().delete()


def test_what_goes_out_comes_in_again_and_a_second_time_changes_nothing(tmp_path: Path) -> None:
    fill()
    text = exported("--with-secrets")
    clear()
    said = imported(text, tmp_path)
    assert "created   connections: Plant" in said
    assert "waiting   labels: mill/g1" in said
    plant = MqttConnection.objects.get(name="Plant")
    assert decrypt(plant.password_token) == " tr0mbone "
    assert (plant.username, plant.port, plant.site.name) == ("é", 8883, "Mill")
    assert plant.client_id != "vedetta-0123456789ab"
    assert MqttConnection.objects.get(name="Other").client_id == "chosen-by-hand"
    found = plant.subscriptions.values_list("topic_filter", "qos", "is_active")
    assert sorted(found) == [("a/#", 1, True), ("b/+", 0, False)]
    assert Mapping.objects.get().values[0]["unit"] == "°C"
    acts = AuditEntry.objects.count()
    gateway = factories.make_gateway(plant, key="mill/g1")
    assert "changed   labels: mill/g1 (label, site)" in imported(text, tmp_path)
    gateway.refresh_from_db()
    assert (gateway.label, gateway.site.name) == ("North", "Mill")
    assert AuditEntry.objects.count() == acts + 1
    assert "waiting" in imported(text, tmp_path)
    assert AuditEntry.objects.count() == acts + 1


def test_secrets_stay_inside_unless_they_are_asked_for(tmp_path: Path) -> None:
    plant = fill()
    assert "tr0mbone" not in exported()
    imported(exported(), tmp_path)
    plant.refresh_from_db()
    assert decrypt(plant.password_token) == " tr0mbone "
    (tmp_path / "whole.yaml").write_text("an older one, for everybody")
    call_command("export_config", "--with-secrets", "--output", str(tmp_path / "whole.yaml"))
    assert "tr0mbone" in (tmp_path / "whole.yaml").read_text()
    assert stat.S_IMODE((tmp_path / "whole.yaml").stat().st_mode) == 0o600


def test_a_file_that_cannot_be_written_keeps_what_it_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "whole.yaml").write_text("an older one")
    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(CommandError, match="cannot be written: No space"):
        call_command("export_config", "--output", str(tmp_path / "whole.yaml"))
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"whole.yaml": "an older one"}


def test_certificates_are_written_as_the_blocks_that_they_are(tmp_path: Path) -> None:
    issued = Authority().issue("client")
    factories.make_connection(
        name="Plant", client_certificate=issued.certificate, client_key_token=encrypt(issued.key), transport="tls"
    )
    text = exported("--with-secrets")
    assert "client_certificate: |\n  -----BEGIN" in text.replace("    ", "  ")
    clear()
    imported(text, tmp_path)
    assert decrypt(MqttConnection.objects.get().client_key_token).strip() == issued.key.strip()
    wrong = text.replace(issued.key.splitlines()[1], issued.key.splitlines()[2])
    assert "client_key: This is no private key" in refused(wrong, tmp_path)
    other = Authority().issue("other").key.splitlines()
    for old, new in zip(issued.key.splitlines(), other, strict=True):
        text = text.replace(old, new)
    assert "does not belong" in refused(text, tmp_path)


def test_a_trial_says_what_would_be_done_and_does_nothing(tmp_path: Path) -> None:
    fill()
    text = exported()
    clear()
    said = imported(text, tmp_path, "--dry-run")
    assert "created   sites: Mill" in said
    assert "this was a trial" in said
    assert not Site.objects.exists()
    assert not MqttConnection.objects.exists()


def test_one_bad_entry_keeps_all_others_out_and_each_is_named(tmp_path: Path) -> None:
    text = """
vedetta: 1
sites:
- {name: Good}
- {name: Bad, latitude: 200}
- {name: Worse, colour: red}
- {latitude: 3}
connections:
- {name: Nowhere, subscriptions: [{topic_filter: "#"}]}
- {name: Port, host: h, port: ninety}
- {name: Filters, host: h, subscriptions: [{topic_filter: a/#}, {topic_filter: a/b}]}
- {name: Site, host: h, site: Missing}
- {name: List, host: [h]}
labels:
- {connection: Missing, kind: gateway, key: a, label: x}
- {connection: Missing, kind: house, key: a, label: x}
mappings:
- {name: Path, topic_pattern: "#", values: [{path: "a[", name: x}]}
"""
    said = refused(text, tmp_path)
    for words in (
        "sites 2 (Bad): latitude", "no field colour", "name is missing", "(Nowhere): host is missing", "(Port): port",
        "cover the same topics", "no site Missing", "(List): host", "no connection Missing", "kind is one of",
        "mappings 1 (Path)", "Nothing was changed.",
    ):  # fmt: skip
        assert words in said, words
    assert not Site.objects.exists()


def test_a_stored_password_does_not_follow_to_another_address(tmp_path: Path) -> None:
    fill()
    said = refused(exported().replace("broker.example", "elsewhere.example"), tmp_path)
    assert "give the stored password" in said


@pytest.mark.parametrize(
    "text",
    ["", "nonsense", "- 1", "vedetta: 2", "vedetta: 1\nhouses: []", "vedetta: 1\nsites: 5", "vedetta: 1\nsites: [5]",
     "a: [", 'vedetta: 1\nsites: [{name: "a\\0b"}]', "!!python/object:os.system {}", "vedetta: 1\nsites: &a [*a]",
     "vedetta: 1\nsites: [&a {name: *a}]", "vedetta: 1\nsites: [{name: A}]\nsites: [{name: B}]",
     "vedetta: 1\nsites: [{name: A, name: B}]", "vedetta: 1\nsites: " + "[" * 100_000, LAUGHS],
)  # fmt: skip
def test_what_is_no_configuration_is_refused_in_one_line(text: str, tmp_path: Path) -> None:
    assert len(refused(text, tmp_path).splitlines()) <= 2
    assert not Site.objects.exists()


def test_a_file_that_is_not_there_says_so() -> None:
    with pytest.raises(CommandError, match="There is no file"):
        call_command("import_config", "/does/not/exist")


def test_values_are_counted_while_a_file_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "MOST_VALUES", 10)
    assert document.read("vedetta: 1\nsites: [{name: A}]", ("sites",)) == {"sites": [{"name": "A"}]}
    with pytest.raises(ConfigurationError, match="too many values"):
        document.read("vedetta: 1\nsites: [{name: A}, {name: B}, {name: C}]", ("sites",))


def test_a_file_without_end_is_not_read_to_its_end() -> None:
    with pytest.raises(CommandError, match="more than 20 MB"):
        call_command("import_config", "/dev/zero")


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(ConfigurationError):
        document.read(text, ("sites",))


VALUE: Any = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=20) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
FIELDS = [
    "name", "host", "port", "keepalive", "site", "subscriptions", "password", "client_key", "is_enabled",
    "ca_certificate", "latitude", "time_zone", "values", "connection", "topic_pattern", "key", "kind", "label",
]  # fmt: skip
ROW = st.dictionaries(st.sampled_from(FIELDS), VALUE, max_size=6)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(section=st.sampled_from(["sites", "connections", "mappings", "labels"]), row=ROW)
def test_any_row_is_stored_or_refused(section: str, row: dict[str, Any], tmp_path_factory: Any) -> None:
    path = tmp_path_factory.getbasetemp() / "row.yaml"
    path.write_text(yaml.safe_dump({"vedetta": 1, section: [{"name": "x", "topic_pattern": "#", "host": "h"} | row]}))
    with suppress(CommandError):
        call_command("import_config", str(path), "--dry-run", stdout=io.StringIO())


def test_gateways_without_a_word_are_not_listed() -> None:
    fill()
    assert Gateway.objects.count() == 2
    keys = {row["key"] for row in yaml.safe_load(exported())["labels"]}
    assert "nothing/written" not in keys
    assert "mill/g1" in keys


def test_corrections_and_notes_travel_with_their_authors_and_wait_for_their_devices(tmp_path: Path) -> None:
    site = factories.make_site(name="Mill")
    plant = factories.make_connection(name="Plant", client_id="chosen-by-hand")
    box = factories.make_datalogger(plant, key="mill/d1")
    sensor = factories.make_sensor(box, name="w1", label="Crack")
    factories.make_correction(sensor, gain=2.0, reason="calibrated")
    for thing in (site, plant, box, sensor):
        factories.make_note(thing, text="Two\nlines: on it", author_name="eva")
    text = exported()
    assert "unchanged" in imported(text, tmp_path)
    assert (Note.objects.count(), SensorCorrection.objects.count()) == (4, 1)
    Note.objects.all().delete()
    SensorCorrection.objects.all().delete()
    said = imported(text, tmp_path)
    assert "created   corrections: mill/d1#w1" in said
    assert set(Note.objects.values_list("author_name", "text")) == {("eva", "Two\nlines: on it")}
    assert SensorCorrection.objects.values_list("gain", "author_name").get() == (2.0, "engineer")
    clear()
    said = imported(text, tmp_path)
    assert "waiting   corrections: mill/d1#w1" in said
    assert set(Note.objects.values_list("kind", flat=True)) == {"site", "connection"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("kind: site", "kind: topic", "kind is one of"),
        ("kind: site\n  name: Mill", "kind: site\n  name: Hill", "there is no site Hill"),
        ("gain: 2.0", "gain: 0", "Gain, offset and zero reading"),
        ("gain: 2.0", "gain: .nan", "Gain, offset and zero reading"),
        ("reason: drift", "reason: drift\n  colour: red", "there is no field colour"),
        ("at: '2026-05-01T12:00:00+00:00'\n  text: The", "at: yesterday\n  text: The", "at: a time like"),
        ("at: '2026-05-01T12:00:00+00:00'\n  text: The", "at: 9999-12-31T23:59:59Z\n  text: The", "at: a time like"),
    ],
)
def test_a_correction_or_note_that_cannot_be_says_why_and_nothing_is_stored(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    sensor = factories.make_sensor(factories.make_datalogger(factories.make_connection(name="Plant")))
    factories.make_correction(sensor, gain=2.0)
    factories.make_note(factories.make_site(name="Mill"), at="2026-05-01T12:00:00Z")
    text = exported()
    assert old in text
    Note.objects.all().delete()
    SensorCorrection.objects.all().delete()
    assert said in refused(text.replace(old, new), tmp_path)
    assert not Note.objects.exists()
    assert not SensorCorrection.objects.exists()
