"""The REST API: its lists with 100,000 sensors, and whether it stays quick while 5,000 messages a second come in."""

import json
import subprocess
import sys
import time

from benchmarks.bench import Bench
from benchmarks.console import Console, publish, published, warm_up
from benchmarks.report import Report, middle, percentile
from benchmarks.stores import ROOT

SENSORS = 100_000
RATE = 5_000
TOPICS = 1_000
LISTS = (
    "/api/v1/mqtt/connections/",
    "/api/v1/mqtt/gateways/",
    "/api/v1/mqtt/dataloggers/",
    "/api/v1/mqtt/sensors/",
    "/api/v1/mqtt/sensors/?page={middle}",
    "/api/v1/mqtt/sensors/?page={last}",
    "/api/v1/mqtt/sensors/?ordering=-last_value",
    "/api/v1/mqtt/sensors/?search=dl-4242",
    "/api/v1/mqtt/sensors/?search=c-3",
    "/api/v1/mqtt/sensors/?availability=unknown",
    "/api/v1/mqtt/topics/",
    "/api/v1/mqtt/undecoded/",
)
BUSY = ("/api/v1/mqtt/connections/", "/api/v1/mqtt/sensors/", "/api/v1/mqtt/sensors/?search=bench")


def measure(bench: Bench) -> Report:
    """Quiet lists with their queries, then under load."""
    sensors = bench.options.size(SENSORS, 100)
    report = bench.report("api", f"Milliseconds to the last byte; lists with {sensors:,} sensors, 100 rows a page")
    for kind in bench.options.kinds[: bench.options.size(2, 1)]:
        with bench.filled(kind, sensors) as console:
            paths = [path.format(last=sensors // 100, middle=max(1, sensors // 200)) for path in LISTS]
            queries = count_queries(console, paths)
            for path in paths:
                _, *times = [console.get(path) for _ in range(bench.options.size(40, 2))]
                report.add(f"{kind} {path}", median=middle(times), p95=percentile(times, 0.95), queries=queries[path])
        with bench.filled(kind, 1) as console:
            under_load(bench, report, kind, console)
    return report


def under_load(bench: Bench, report: Report, kind: str, console: Console) -> None:
    """Ask again and again while messages come in."""
    seconds = bench.options.seconds or bench.options.size(20, 1)
    rate, topics = bench.options.size(RATE, 100), bench.options.size(TOPICS, 20)
    console.start_mqtt()
    warm_up(console, topics)
    publisher = publish(console.broker_port, int(rate * seconds), topics=topics, rate=rate, timed=True)
    times: list[float] = []
    while publisher.poll() is None:
        times += [console.get(path) for path in BUSY]
        time.sleep(0.05)
    sent = published(publisher)
    report.add(
        f"{kind}, while {rate:,}/s come in",
        median=middle(times),
        p95=percentile(times, 0.95),
        p99=percentile(times, 0.99),
        sent_per_second=sent["acknowledged"] / (sent["ended"] - sent["begun"]),
    )


def count_queries(console: Console, paths: list[str]) -> dict[str, int]:
    """Queries of each address, asked in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.count_queries", *paths]
    done = subprocess.run(command, cwd=ROOT, env=console.environment, check=True, stdout=subprocess.PIPE)
    return dict(json.loads(done.stdout))
