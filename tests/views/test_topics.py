"""The tree of topics, subtrees left aside, and messages that the broker keeps."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from mqtt.models import Command, Mapping
from mqtt.services.announcements import load_memory
from mqtt.topic_tree import below
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.database, pytest.mark.usefixtures("valkey")]


def page(client: Client, url: str, **headers: str) -> str:
    answer = client.get(url, headers=headers)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def connection() -> Any:
    made = factories.make_connection()
    for topic, count in (("a/b/c", 5), ("a/b", 2), ("a/x", 1), ("A/b", 7), ("/lead", 1), ("lone", 3), ("a_b/c", 1)):
        factories.make_topic(made, topic=topic, message_count=count, undecoded_count=count // 5)
    factories.make_topic(topic="other/connection")
    return made


def test_a_level_counts_what_lies_below_it(connection: Any) -> None:
    branches, is_cut = below(connection.topics.all(), "")
    found = {
        one.name: (one.topics, one.messages, one.undecoded, one.leaf_id is not None, one.has_more) for one in branches
    }
    assert found == {
        "": (1, 1, 0, False, True),
        "A": (1, 7, 1, False, True),
        "a": (3, 8, 1, False, True),
        "a_b": (1, 1, 0, False, True),
        "lone": (1, 3, 0, True, False),
    }
    assert not is_cut


def test_the_tree_begins_with_a_connection_that_brought_topics(client: Client, viewer: Any, connection: Any) -> None:
    client.force_login(viewer)
    connection.topics.model.objects.exclude(connection=connection).delete()
    factories.make_connection(name="A new one, first by name and still empty")
    assert "lone" in page(client, "/topics/tree/")


def test_a_prefix_is_taken_to_the_letter(connection: Any) -> None:
    branches, _ = below(connection.topics.all(), "a/")
    assert [(one.name, one.topics, one.leaf_id is not None, one.has_more) for one in branches] == [
        ("b", 2, True, True), ("x", 1, True, False),
    ]  # fmt: skip
    assert [one.name for one in below(connection.topics.all(), "/")[0]] == ["lead"]


def test_the_tree_opens_level_by_level(
    client: Client, viewer: Any, connection: Any, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client.force_login(viewer)
    with django_assert_max_num_queries(12):
        whole = page(client, f"/topics/tree/?connection={connection.pk}")
    assert f"?connection={connection.pk}&amp;prefix=a/" in whole.replace("%2F", "/")
    inner = page(client, f"/topics/tree/?connection={connection.pk}&prefix=a/", **{"HX-Request": "true"})
    assert "<main" not in inner
    assert ">b<" in inner
    assert "A" not in inner.split("summary")[1].split(">b<")[0]
    deep = page(client, f"/topics/tree/?connection={connection.pk}&prefix=a/b")
    assert ">c<" in deep


def test_nonsense_in_the_address_does_no_harm(client: Client, viewer: Any, connection: Any) -> None:
    client.force_login(viewer)
    assert client.get("/topics/tree/?connection=99999999").status_code == 404
    page(client, "/topics/tree/?connection=x&prefix=%00" + "y/" * 900)


def test_a_branch_is_left_aside_and_read_again(client: Client, administrator: Any, connection: Any) -> None:
    client.force_login(administrator)
    url = f"/topics/ignore/?connection={connection.pk}&prefix=a/"
    assert "Leave a/# aside?" in page(client, url)
    assert client.post(url).status_code == 302
    assert client.post(url).status_code == 302
    rule = load_memory(connection.pk).mapping_of("a/b/c")
    assert rule is not None
    assert rule.name == "ignored"
    first, second = Mapping.objects.order_by("pk")
    assert second.name == "a/# (2)"
    assert "left aside" in page(client, "/mappings/")
    assert client.get(f"/mappings/{first.pk}/").status_code == 404
    client.post(f"/mappings/{first.pk}/delete/")
    client.post(f"/mappings/{second.pk}/delete/")
    assert load_memory(connection.pk).mapping_of("a/b/c") is None


@pytest.mark.parametrize("prefix", ["", "a/%2B", "a/%23", "%7Bx%7D"])
def test_only_a_plain_branch_can_be_left_aside(
    client: Client, administrator: Any, connection: Any, prefix: str
) -> None:
    client.force_login(administrator)
    answer = client.post(f"/topics/ignore/?connection={connection.pk}&prefix={prefix}", follow=True)
    assert "Open a branch of the tree first" in answer.content.decode()
    assert not Mapping.objects.exists()


def test_a_kept_message_is_taken_from_the_broker_after_a_question(
    client: Client, administrator: Any, connection: Any
) -> None:
    client.force_login(administrator)
    topic = factories.make_topic(connection, topic="kept/x", last_retained=True)
    assert f"/topics/{topic.pk}/purge/" in page(client, f"/topics/{topic.pk}/")
    assert "kept/x" in page(client, f"/topics/{topic.pk}/purge/")
    assert client.post(f"/topics/{topic.pk}/purge/").status_code == 302
    command = Command.objects.get()
    assert (command.topic, bytes(command.payload), command.retain) == ("kept/x", b"", True)


def test_what_changed_since_the_last_different_payload_is_marked(client: Client, viewer: Any) -> None:
    client.force_login(viewer)
    last = b'{"a": 1, "b": "<i>"}'
    topic = factories.make_topic(last_payload=last, last_size=len(last), previous_payload=b'{"a": 1, "b": 3}')
    html = page(client, f"/topics/{topic.pk}/")
    assert "<mark>  &quot;b&quot;: &quot;&lt;i&gt;&quot;</mark>" in html
    assert "<mark>  &quot;a&quot;" not in html
