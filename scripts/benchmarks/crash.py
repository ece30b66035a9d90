"""kill -9 of the mqtt process in the middle of 5,000 messages a second: what is lost, what is stored twice."""

import time

from benchmarks.bench import Bench
from benchmarks.console import PROTOCOLS, Console, publish, published, warm_up
from benchmarks.report import Report

RATE = 5_000
COUNT = 15_000
PATIENCE = 90.0
QUIET = 15.0
"""Seconds without a new row after which what is missing counts as lost."""


def measure(bench: Bench) -> Report:
    """Each database and protocol; the payload carries no time, so that a doubled reading shows."""
    report = bench.report("crash", f"kill -9 at {RATE:,}/s, {COUNT:,} sent, the process started again at once")
    protocols = PROTOCOLS[: bench.options.size(2, 1)]
    for kind in bench.options.kinds[: bench.options.size(2, 1)]:
        for protocol in protocols:
            runs = [one_run(bench, kind, protocol) for _ in range(bench.options.runs)]
            report.add(
                f"{kind}, MQTT {protocol}",
                runs=len(runs),
                lost=sum(lost for lost, _, _ in runs),
                doubled=sum(doubled for _, doubled, _ in runs),
                longest_seconds_until_all_stored=max(took for _, _, took in runs),
            )
    return report


def one_run(bench: Bench, kind: str, protocol: str) -> tuple[int, int, float]:
    """(lost, doubled, seconds from the kill until everything was stored)."""
    count, rate = bench.options.size(COUNT, 600), bench.options.size(RATE, 600)
    with bench.console(kind, protocol) as console:
        console.start_mqtt()
        warm_up(console, bench.options.size(1000, 50))
        publisher = publish(console.broker_port, count, rate=rate)
        time.sleep(0.3 + 0.5 * count / rate)  # the publisher needs a moment to start; this is its middle
        console.kill_mqtt()
        killed = time.monotonic()
        console.start_mqtt()
        published(publisher)
        rows, different, seen = settled(console, count)
        return count - different, rows - different, seen - killed


def settled(console: Console, count: int) -> tuple[int, int, float]:
    """(rows, different values, when the last one came), once nothing changes any more."""
    end = time.monotonic() + PATIENCE
    before, changed = (-1, -1), time.monotonic()
    while time.monotonic() < end:
        now = console.store.counted()
        if now != before:
            before, changed = now, time.monotonic()
        elif time.monotonic() - changed > (QUIET if now[1] < count else 1):
            break
        time.sleep(0.1)
    return *before, changed
