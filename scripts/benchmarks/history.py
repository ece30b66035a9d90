"""History and charts of one sensor among very many readings, over HTTP as a browser and a program ask."""

from datetime import UTC, datetime, timedelta

from benchmarks.bench import Bench
from benchmarks.console import Console
from benchmarks.filling import YEAR, add_partitions, add_readings, add_rollups
from benchmarks.report import Report, middle

OTHERS = 200
"""Sensors that the rest of the readings belong to, over the same year."""


def measure(bench: Bench) -> Report:
    """A day and a year of a sensor that speaks each second."""
    total = bench.options.size(bench.options.readings, 4_000)
    own = min(YEAR, total // 2)
    report = bench.report(
        "history", f"Milliseconds to the last byte, {total:,} readings, {own:,} of them of the sensor"
    )
    for kind in bench.options.kinds[: bench.options.size(2, 1)]:
        others = bench.options.size(OTHERS, 5)
        with bench.filled(kind, others + 1) as console:
            seconds = fill(console, total, own, others)
            report.notes.append(f"{kind}: filled in {seconds:.0f} s")
            (sensor,) = console.store.ask("SELECT id, unit FROM mqtt_sensordevice ORDER BY id LIMIT 1")
            for name, path in questions(int(sensor[0])):
                first, *times = [console.get(path) for _ in range(bench.options.size(12, 2))]
                report.add(f"{kind}, {name}", median=middle(times), longest=max(times), first=first)
    return report


def fill(console: Console, total: int, own: int, others: int) -> float:
    """Everything into the tables; returns the seconds that it took."""
    pks = [int(row[0]) for row in console.store.ask("SELECT id, unit FROM mqtt_sensordevice ORDER BY id")]
    each = max(1, (total - own) // others)
    step = max(1, own // each)
    add_partitions(console.store, own // 86400 + 2)
    seconds = add_readings(console.store, pks[0], own, 1)
    add_rollups(console.store, pks[0], own, 1)
    for pk in pks[1 : others + 1]:
        seconds += add_readings(console.store, pk, each, step)
    if console.store.kind == "PostgreSQL":
        console.store.run("ANALYZE mqtt_reading")
        console.store.run("ANALYZE mqtt_rollup")
    return seconds


def questions(sensor: int) -> list[tuple[str, str]]:
    """What is asked, by name."""
    chart, raw = "/api/v1/mqtt/charts/?sensors=", f"/api/v1/mqtt/sensors/{sensor}/readings/"
    return [
        ("chart of 24 h", f"{chart}{sensor}&last=24h"),
        ("chart of a year", f"{chart}{sensor}&last=1y"),
        ("newest 1,000 readings", f"{raw}?page_size=1000"),
        ("24 h in minutes, 1,000 a page", f"{raw}?bucket=1m&page_size=1000&start={_ago(86400)}"),
        ("the sensor's page", f"/sensors/{sensor}/"),
    ]


def _ago(seconds: int) -> str:
    return (datetime.now(UTC) - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
