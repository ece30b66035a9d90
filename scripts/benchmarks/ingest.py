"""How many messages a second each reader takes without loss, side by side on the same broker settings."""

import subprocess
import sys
import time
from dataclasses import dataclass

from benchmarks import packets
from benchmarks.baselines import PSQL, SUBSCRIBE, pipe_into_copy
from benchmarks.bench import Bench, broker_running
from benchmarks.console import PROTOCOLS, Console, publish, published, warm_up
from benchmarks.machine import processor_seconds
from benchmarks.report import Report, middle, ratio
from benchmarks.stores import ROOT
from benchmarks.watching import Watching

TOPICS = 1000
PATIENCE = 120.0
QUIET = 3.0
"""Seconds without a new row after which a run that lost messages counts as ended."""


@dataclass
class Case:
    """One variant of our own pipeline."""

    kind: str
    protocol: str = "3.1.1"
    qos: int = 1
    pages: int = 0

    @property
    def name(self) -> str:
        """As the table says it."""
        watched = f", {self.pages} live pages" if self.pages else ""
        return f"Vedetta, {self.kind}, MQTT {self.protocol}, QoS {self.qos}{watched}"


def measure(bench: Bench) -> Report:
    """All variants, the baselines first."""
    report = bench.report("ingest", "Messages a second, 1,000 topics, 81 bytes of JSON, published flat out")
    count = bench.options.size(60_000, 600)
    for version in PROTOCOLS[: bench.options.size(2, 1)]:
        for qos in (1,) if bench.options.smoke else (0, 1):
            runs = [counting(bench, count, version, qos) for _ in range(bench.options.runs)]
            add_baseline(report, f"paho that only counts, MQTT {version}, QoS {qos}", runs)
    for kind in bench.options.kinds[: bench.options.size(2, 1)]:
        runs = [seed(bench, kind, bench.options.size(1_000, 30)) for _ in range(bench.options.runs)]
        add_baseline(report, f"the seed's flow, {kind}", runs)
    if SUBSCRIBE and PSQL.exists() and "PostgreSQL" in bench.options.kinds:
        rates = [copied(bench, count) for _ in range(bench.options.runs)]
        report.add("mosquitto_sub | psql COPY", per_second=middle(rates), lost=0)
    for case in cases(bench):
        measured = [ours(bench, case, count) for _ in range(bench.options.runs)]
        rate = middle([rate for rate, _, _ in measured])
        report.add(
            case.name,
            per_second=rate,
            lost=max(lost for _, lost, _ in measured),
            processor_us_each=middle([spent for _, _, spent in measured]),
            to_count=ratio(
                rate, report.figure(f"paho that only counts, MQTT {case.protocol}, QoS {case.qos}", "per_second")
            ),
            to_copy=ratio(rate, report.figure("mosquitto_sub | psql COPY", "per_second")),
            to_seed=ratio(rate, report.figure(f"the seed's flow, {case.kind}", "per_second")),
        )
    return report


def add_baseline(report: Report, name: str, runs: list[tuple[float, float]]) -> None:
    """A row of medians; a baseline ends only when it has every message."""
    rate, spent = middle([rate for rate, _ in runs]), middle([spent for _, spent in runs])
    report.add(name, per_second=rate, lost=0, processor_us_each=spent)


def cases(bench: Bench) -> list[Case]:
    """What of ours is measured."""
    kinds = bench.options.kinds
    if bench.options.smoke:
        return [Case(kind) for kind in kinds]
    plain = [Case(kind, protocol, qos) for kind in kinds for protocol in PROTOCOLS for qos in (0, 1)]
    return plain + [Case(kind, pages=10) for kind in kinds]


def rate_of(count: int, begun: float, ended: float) -> float:
    """Messages a second."""
    return count / (ended - begun)


def baseline(port: int, kind: str, count: int, version: str, qos: int, console: Console | None) -> tuple[float, float]:
    """Run one baseline client against the publisher: (messages a second, processor µs of the client each)."""
    command = [sys.executable, "-m", "benchmarks.baselines", kind, str(port), str(count), version, str(qos)]
    environment = console.environment if console else None
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as client:
        assert client.stdout is not None
        if client.stdout.readline().strip() != "ready":
            raise RuntimeError(f"the baseline {kind} did not start")
        begun = published_at(publish(port, count, qos=qos, topics=TOPICS, timed=True))
        ended, spent = map(float, client.stdout.readline().split())
        return rate_of(count, begun, ended), spent / count * 1e6


def published_at(publisher: "subprocess.Popen[str]") -> float:
    """When the first message left."""
    return float(published(publisher)["begun"])


def counting(bench: Bench, count: int, version: str, qos: int) -> tuple[float, float]:
    """A bare paho client."""
    with broker_running(bench.folder / "broker-counting") as server:
        return baseline(server.port, "count", count, version, qos, None)


def seed(bench: Bench, kind: str, count: int) -> tuple[float, float]:
    """The seed's flow on the same models."""
    with bench.console(kind) as console:
        return baseline(console.broker_port, "seed", count, "3.1.1", 1, console)


def copied(bench: Bench, count: int) -> float:
    """The shell's pipe into PostgreSQL."""
    store = bench.stores.fresh("PostgreSQL")
    with broker_running(bench.folder / "broker-copy") as server:
        pipe = pipe_into_copy(server.port, count, store.url, 1)
        time.sleep(0.5)  # mosquitto_sub does not say when it is subscribed
        begun = published_at(publish(server.port, count, topics=TOPICS, timed=True))
        pipe.wait(PATIENCE)
        ended = time.time()
    store.close()
    return rate_of(count, begun, ended)


def ours(bench: Bench, case: Case, count: int) -> tuple[float, int, float]:
    """Our pipeline: (messages a second until the last row is committed, lost, µs of processor time each)."""
    with bench.console(case.kind, case.protocol, case.qos) as console:
        if case.pages:
            console.start_web(bench.static)
        console.start_mqtt()
        marker = warm_up(console, bench.options.size(TOPICS, 50))
        assert console.mqtt is not None
        before = processor_seconds(console.mqtt.pid)
        with Watching(console, case.pages):
            begun = published_at(
                publish(console.broker_port, count, qos=case.qos, topics=TOPICS, timed=True, marker=True)
            )
            ended = until_stored(console, marker, packets.FIRST_VALUE + count)
        spent = (processor_seconds(console.mqtt.pid) - before) / count * 1e6
        return rate_of(count, begun, ended), count + 1 - console.store.counted()[1], spent


def until_stored(console: Console, marker: int, value: float) -> float:
    """When the marker's row was there; or when the last row came, where the marker itself was lost."""
    end = time.monotonic() + PATIENCE
    seen, changed = -1, time.time()
    looked = time.monotonic()
    while time.monotonic() < end:
        if console.store.newest(marker) >= value:
            return time.time()
        if time.monotonic() - looked > 1:
            looked = time.monotonic()
            rows = console.store.counted()[0]
            if rows != seen:
                seen, changed = rows, time.time()
            elif time.time() - changed > QUIET:
                break
        time.sleep(0.01)
    return changed
