"""What a broker says of itself: read where it lets us, no trouble where it does not, and never a sensor."""

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from mqtt.messages import InboundMessage
from mqtt.models import ConnectionLease, DiscoveredTopic, SensorDevice
from mqtt.services import broker_facts, pressure
from mqtt.services.broker_facts import FILTERS, BrokerFacts
from mqtt.services.sessions.connection_settings import Filter
from mqtt.services.sessions.statistics import SessionStatistics
from mqtt.topics import matches
from tests import servers
from tests.mqtt_process import MqttProcess
from tests.servers import PATIENCE, wait_for
from tests.services.mqtt_processes import Start, create, values, wait_granted
from tests.services.sessions import Running, make_settings, publish


@pytest.fixture
def talkative(tmp_path: Path) -> Iterator[servers.Server]:
    """A Mosquitto that speaks of itself every second and keeps ten messages for a client."""
    with servers.running(servers.mosquitto(tmp_path / "m", "sys_interval 1\nmax_queued_messages 10")) as server:
        yield server


def lose(port: int, count: int) -> None:
    """Publish so many more messages than the broker keeps for somebody who is away."""
    for command in (
        ["mosquitto_sub", "-p", str(port), "-c", "-i", "away", "-q", "1", "-t", "b/x", "-E"],
        ["mosquitto_pub", "-p", str(port), "-t", "b/x", "-q", "1", "--repeat", str(10 + count), "-m", "1"],
    ):
        subprocess.run(command, check=True, timeout=PATIENCE)


@pytest.mark.mosquitto
def test_a_session_reads_the_brokers_figures_and_hands_none_of_them_on(talkative: servers.Server) -> None:
    statistics = SessionStatistics()
    settings = make_settings(port=talkative.port, reads_statistics=True, filters=(Filter("#", 1), Filter("$SYS/#", 1)))
    with Running(settings, statistics=statistics) as one:
        one.wait_granted()
        assert statistics.state in {"asked", "heard"}  # a broker may answer at once
        wait_for(lambda: one.session.kept_filters > set(FILTERS), what="the answers")
        wait_for(lambda: (known := statistics.facts()) and known.version and known.clients, what="the figures")
        lose(talkative.port, 40)
        publish(talkative.port, "a/x", "7")
        wait_for(lambda: (known := statistics.facts()) and known.dropped_lately == 40, what="the dropped messages")
        facts = statistics.facts()
        assert facts
        assert facts.is_mosquitto
        assert not facts.is_emqx
        assert statistics.state == "heard"
        found = [message for message in one.take(60) if not message.unwanted]
        assert {message.topic for message in found} - {f"vedetta/{settings.client_id}/status"} == {"b/x", "a/x"}
        assert one.session.counters.messages == len(found)
        kept = tuple(one.session.kept_filters)
    again = replace(settings, reads_statistics=False)
    with Running(again, is_kept=True, kept_filters=kept) as second:
        wait_for(lambda: second.session.kept_filters == {"#", "$SYS/#"}, what="the filters being taken back")


@pytest.mark.mosquitto  # mosquitto_pub publishes
def test_a_broker_that_ends_the_link_of_whoever_asks_is_asked_once(tmp_path: Path) -> None:
    statistics = SessionStatistics()
    with servers.running(servers.rumqttd(tmp_path / "rumqttd")) as server:
        settings = make_settings(port=server.port, reads_statistics=True)
        with Running(settings, statistics=statistics) as one:
            one.wait_granted()
            wait_for(lambda: statistics.is_refused, what="the refusal")
            one.wait_granted()
            publish(server.port, "a/x", "1")
            assert [message.payload for message in one.take(1)] == [b"1"]
            assert statistics.state == "refused"
            assert statistics.facts() is None
            assert not set(FILTERS) & one.session.kept_filters
            with pytest.raises(AssertionError):
                one.wait("disconnected", seconds=2.5)


@pytest.mark.parametrize(("now", "lately"), [(100, 30), (650, 20), (700, 20), (900, 0)])
def test_only_what_the_broker_dropped_in_the_last_ten_minutes_counts_as_lately(
    monkeypatch: pytest.MonkeyPatch, now: int, lately: int
) -> None:
    statistics = SessionStatistics()
    clock = SimpleNamespace(monotonic=lambda: 0.0)
    monkeypatch.setattr("mqtt.services.sessions.statistics.time", clock)
    statistics.begin(is_wanted=True)
    for at, total in ((0, 100), (40, 110), (110, 130)):
        clock.monotonic = lambda at=at: float(at)
        topic = "$SYS/broker/publish/messages/dropped"
        statistics.take(InboundMessage(1, topic, str(total).encode(), 0, False, 0))
    clock.monotonic = lambda: float(now)
    facts = statistics.facts()
    assert facts
    assert facts.dropped_lately == lately


@pytest.mark.parametrize(("stops_at", "owed", "asked_at"), [(0, 0, 1), (4, 0, 5), (4, 3, 10), (20, 0, 10)])
def test_a_broker_is_asked_in_a_lull_when_nothing_is_owed_or_after_a_while(
    monkeypatch: pytest.MonkeyPatch, stops_at: int, owed: int, asked_at: int
) -> None:
    asked: list[int] = []
    statistics = SessionStatistics()
    for second in range(20):
        clock = SimpleNamespace(monotonic=lambda now=second: float(now))
        monkeypatch.setattr("mqtt.services.sessions.statistics.time", clock)
        if second == 0:
            statistics.begin(is_wanted=True)
        received = owed + min(second, stops_at)
        link: Any = SimpleNamespace(received=received, acknowledged=received - owed)
        link.subscribe = lambda _filters, now=second: asked.append(now)
        statistics.tend(link)
    assert asked == [asked_at]


@given(st.one_of(st.text(), st.sampled_from([f.replace("+", "version") for f in FILTERS])), st.binary(max_size=400))
def test_whatever_a_broker_says_is_read_or_left_aside(topic: str, payload: bytes) -> None:
    found = broker_facts.read(topic, payload)
    if found:
        facts = broker_facts.put_together({found[0]: found[1]}, 0)
        assert facts is not None
        assert len(facts.version) <= broker_facts.LONGEST


def test_emqx_says_it_in_other_words_and_a_cluster_is_one_broker() -> None:
    said = {
        "$SYS/brokers/emqx@a/version": b"5.8.1",
        "$SYS/brokers/emqx@a/uptime": b"1 days, 3 hours",
        "$SYS/brokers/emqx@a/stats/connections/count": b"3",
        "$SYS/brokers/emqx@b/stats/connections/count": b"4",
        "$SYS/brokers/emqx@b/metrics/messages/received": b"9",
        "$SYS/brokers/emqx@b/metrics/delivery/dropped/queue_full": b"2",
        "$SYS/brokers/emqx@b/metrics/messages/dropped": b"77",  # nobody had subscribed: nothing is lost
        "$SYS/brokers/emqx@b/datetime": b"2026-01-01",
    }
    assert all(any(matches(one, topic) for one in FILTERS) for topic in said)
    read = dict(found for topic, payload in said.items() if (found := broker_facts.read(topic, payload)))
    facts = broker_facts.put_together(read, 0)
    assert facts == BrokerFacts(
        version="5.8.1", uptime="1 days, 3 hours", clients=7, received=9, dropped=2, is_emqx=True
    )  # fmt: skip


@pytest.mark.django_db(transaction=True)
@pytest.mark.mosquitto
@pytest.mark.usefixtures("valkey")
def test_page_api_and_metrics_show_them_and_no_topic_becomes_a_sensor(
    start: Start, talkative: servers.Server, client: Client, administrator: Any
) -> None:
    plant = create(talkative, "#", "$SYS/#", reads_statistics=True)
    start("one")
    wait_granted(plant)
    client.force_login(administrator)
    lose(talkative.port, 5)

    def shown() -> str:
        pressure._kept = (0.0, "", None)
        return client.get(f"/connections/{plant.pk}/").content.decode()

    wait_for(lambda: "mosquitto version" in shown(), what="the broker's version")
    wait_for(lambda: 'data-value="5"' in shown(), what="the dropped messages")
    page = shown()
    assert "5 in the last ten minutes" in page
    assert "max_queued_messages" in page
    api = APIClient()
    api.force_authenticate(administrator)
    said = api.get(f"/api/v1/mqtt/connections/{plant.pk}/").json()
    assert (said["broker"]["dropped"], said["reads_statistics"]) == (5, True)
    metrics = client.get("/metrics").content.decode()
    assert f'vedetta_broker_messages_dropped_total{{connection="Plant",connection_id="{plant.pk}"}} 5.0' in metrics
    wait_for(lambda: values() == [1.0] * 15, what="the readings")
    assert not SensorDevice.objects.filter(key__startswith="$SYS").exists()
    assert not DiscoveredTopic.objects.filter(topic__startswith="$SYS").exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.mosquitto
@pytest.mark.usefixtures("valkey")
def test_the_next_process_does_not_ask_again_what_was_refused(start: Start, tmp_path: Path) -> None:
    with servers.running(servers.rumqttd(tmp_path / "rumqttd")) as server:
        plant = create(server, reads_statistics=True)
        process: MqttProcess = start("one")
        wait_for(lambda: ConnectionLease.objects.filter(statistics_refused=True).exists(), what="the refusal")
        assert process.stop() == 0
        start("two")
        wait_granted(plant)
        pressure._kept = (0.0, "", None)
        wait_for(
            lambda: (one := pressure.of_connection(pressure.read_all(), plant.pk)) and one.broker_state == "refused",
            what="what the second says",
        )
        assert ConnectionLease.objects.get().statistics_refused
