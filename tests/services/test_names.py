"""Two who want the same name at once: one has it, the other is told."""

from typing import Any

import pytest
from django.db import IntegrityError
from django.test import Client

from mqtt.exceptions import ServiceError
from mqtt.models import AuditEntry, Mapping, Site
from mqtt.services import mappings, places
from mqtt.services.audit import Actor
from mqtt.services.names import unique_name
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.database, pytest.mark.usefixtures("valkey")]

ACTOR = Actor.command("test")
RULE = {"name": "mill", "topic_pattern": "mill/#", "is_ignored": True}
CLICKED = {"name": "mill", "topic_pattern": "mill/{x}", "device": "{x}", "save": "1", "values-TOTAL_FORMS": "1",
           "values-INITIAL_FORMS": "0", "values-0-path": "v", "values-0-name": "v"}  # fmt: skip


def test_a_taken_name_is_refused_in_words_for_new_and_for_renamed() -> None:
    places.create_site(ACTOR, Site(name="mill"))
    mappings.save_mapping(ACTOR, Mapping(**RULE))
    site = places.create_site(ACTOR, Site(name="inn"))
    mapping = mappings.save_mapping(ACTOR, Mapping(**RULE | {"name": "inn"}))
    site.name = mapping.name = "mill"
    written = AuditEntry.objects.count()
    for refused in (
        lambda: places.create_site(ACTOR, Site(name="mill")),
        lambda: places.update_site(ACTOR, site, ["name"]),
        lambda: mappings.save_mapping(ACTOR, Mapping(**RULE)),
        lambda: mappings.save_mapping(ACTOR, mapping),
    ):
        with pytest.raises(ServiceError) as refusal:
            refused()
        assert (refusal.value.code, refusal.value.context) == ("name_taken", {"name": "mill"})
    assert AuditEntry.objects.count() == written
    assert sorted(Site.objects.values_list("name", flat=True)) == ["inn", "mill"]
    assert sorted(Mapping.objects.values_list("name", flat=True)) == ["inn", "mill"]


def test_an_error_that_no_name_explains_is_not_hidden() -> None:
    with pytest.raises(IntegrityError), unique_name(Site(name="mill")):
        raise IntegrityError("another constraint")


def test_a_mapping_that_was_deleted_meanwhile_is_said_to_be_gone() -> None:
    row = mappings.save_mapping(ACTOR, Mapping(**RULE))
    Mapping.objects.all().delete()
    with pytest.raises(ServiceError) as refusal:
        mappings.save_mapping(ACTOR, row)
    assert refusal.value.code == "gone"


@pytest.mark.parametrize(
    ("service", "name", "url", "given"),
    [
        (places, "create_site", "/sites/new/", {"name": "mill"}),
        (mappings, "save_mapping", "/mappings/new/", CLICKED),
        (mappings, "save_mapping", "/topics/ignore/?prefix=mill/&connection={}", {}),
    ],
)
def test_the_second_click_is_answered_in_words(
    client: Client, administrator: Any, monkeypatch: pytest.MonkeyPatch, service: Any, name: str, url: str, given: Any
) -> None:
    client.force_login(administrator)
    store = getattr(service, name)

    def late(actor: Actor, row: Any) -> Any:
        type(row).objects.bulk_create([type(row)(name=row.name)])  # the first click, after ours was checked
        return store(actor, row)

    monkeypatch.setattr(service, name, late)
    answer = client.post(url.format(factories.make_connection().pk), given, follow=True)
    assert answer.status_code == 200
    assert "is taken already" in answer.content.decode()
