"""Resident memory of the mqtt and the web process: idle, under load, after bursts, with the database away."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.bench import Bench
from benchmarks.console import Console, publish, published, warm_up
from benchmarks.crash import settled
from benchmarks.ingest import until_stored
from benchmarks.machine import peak_mb, resident_mb
from benchmarks.packets import FIRST_VALUE
from benchmarks.report import Report
from benchmarks.watching import Watching

BURST = 60_000
HOUR = 300_000
"""The rest of 100 messages a second for an hour."""


def measure(bench: Bench) -> Report:
    """One console through all of it, with ten live pages."""
    report = bench.report("memory", "Resident memory in MB, SQLite, ten live pages")
    seconds = bench.options.seconds or bench.options.size(30, 1)
    with bench.console() as console:
        console.start_web(bench.static)
        console.start_mqtt()
        add(report, console, "idle")
        marker = warm_up(console, bench.options.size(1000, 50))
        with Watching(console, bench.options.size(10, 2)):
            published(publish(console.broker_port, bench.options.size(20_000, 200), rate=2_000, timed=True))
            add(report, console, "at 2,000 messages/s")
        burst = bench.options.size(BURST, 600)
        flood(console, marker, 20_000, burst)
        add(report, console, f"after a burst of {burst:,}")
        more = bench.options.size(HOUR, 600)
        flood(console, marker, 20_000 + burst, more)
        add(report, console, "after an hour of 100 messages/s")
        first = 20_000 + burst + more + 1
        count = int(seconds * bench.options.size(2_000, 200))
        with database_locked(console):
            published(publish(console.broker_port, count, first=first, rate=count / seconds, timed=True))
            add(report, console, f"database locked for {seconds:.0f} s at {count / seconds:,.0f}/s")
        settled(console, console.store.counted()[1] + count)
        add(report, console, "database back")
        stored = console.store.counted(FIRST_VALUE + first)[1]
        report.notes.append(f"Of {count:,} messages sent while the database was locked {stored:,} are stored.")
    return report


def flood(console: Console, marker: int, first: int, count: int) -> None:
    """Publish flat out and wait until everything is stored."""
    published(publish(console.broker_port, count, first=first, timed=True, marker=True))
    until_stored(console, marker, FIRST_VALUE + first + count)


def add(report: Report, console: Console, name: str) -> None:
    """One row: both processes now, and the mqtt process at its highest."""
    assert console.web is not None
    assert console.mqtt is not None
    mqtt, web = resident_mb(console.mqtt.pid), resident_mb(console.web.pid)
    report.add(name, mqtt=mqtt, web=web, together=mqtt + web, mqtt_peak=peak_mb(console.mqtt.pid))


@contextmanager
def database_locked(console: Console) -> Iterator[None]:
    """Hold SQLite's write lock, as a stuck backup would."""
    console.store.ask("BEGIN IMMEDIATE")
    try:
        yield
        time.sleep(1)
    finally:
        console.store.ask("ROLLBACK")
