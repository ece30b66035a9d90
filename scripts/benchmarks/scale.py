"""Does it stay as quick with many sensors: 1,000, 10,000, 100,000, each heard twice before the clock starts."""

import time

from benchmarks.bench import Bench
from benchmarks.console import publish, published, warm_up
from benchmarks.ingest import rate_of, until_stored
from benchmarks.machine import processor_seconds, resident_mb
from benchmarks.memory import flood
from benchmarks.packets import FIRST_VALUE
from benchmarks.report import Report, middle, ratio

SIZES = (1_000, 10_000, 100_000)


def measure(bench: Bench) -> Report:
    """Each size on each database."""
    report = bench.report("scale", "Cost with many sensors; processor time of the mqtt process")
    for kind in bench.options.kinds[: bench.options.size(2, 1)]:
        sizes = (50,) if bench.options.smoke else SIZES
        for sensors in sizes:
            one_size(bench, report, kind, sensors)
        first, last = (
            report.figure(f"{kind}, {sensors:,} sensors", "processor_us") for sensors in (sizes[0], sizes[-1])
        )
        report.notes.append(f"{kind}: from {sizes[0]:,} to {sizes[-1]:,} sensors x{ratio(last, first) or 0:.2f}")
    return report


def one_size(bench: Bench, report: Report, kind: str, sensors: int) -> None:
    """Discover, flood, look at the page, start again."""
    count = bench.options.size(60_000, 200)
    with bench.console(kind) as console:
        console.start_web(bench.static)
        console.start_mqtt()
        assert console.mqtt is not None
        begun = time.monotonic()
        marker = warm_up(console, sensors)
        discovered = sensors / (time.monotonic() - begun)
        flood(console, marker, 0, sensors)  # what is learned of a sensor is read when it is heard again
        before = processor_seconds(console.mqtt.pid)
        sent = published(publish(console.broker_port, count, first=sensors, topics=sensors, timed=True, marker=True))
        rate = rate_of(count, sent["begun"], until_stored(console, marker, FIRST_VALUE + sensors + count))
        spent = processor_seconds(console.mqtt.pid) - before
        page = [console.get("/sensors/") for _ in range(bench.options.size(7, 1))]
        memory = resident_mb(console.mqtt.pid)
        console.mqtt.terminate()
        console.mqtt.wait(10)
        time.sleep(0.1)
        report.add(
            f"{kind}, {sensors:,} sensors",
            discovered_per_second=discovered,
            per_second=rate,
            processor_us=spent / count * 1e6,
            page_ms=middle(page),
            mqtt_MB=memory,
            start_seconds=console.start_mqtt(),
        )
