"""What live pages cost: processor time of the web process with many WebSocket clients on one page."""

import time

from benchmarks.bench import Bench
from benchmarks.console import publish, published, warm_up
from benchmarks.machine import processor_seconds, resident_mb
from benchmarks.report import Report
from benchmarks.watching import Watching

RATE = 2_000


def measure(bench: Bench) -> Report:
    """0 (for comparison), 10, 50 and 200 clients at 2,000 messages a second."""
    report = bench.report("fanout", f"Live pages at {RATE:,} messages/s; processor in cores")
    seconds = bench.options.seconds or bench.options.size(10, 1)
    rate = bench.options.size(RATE, 200)
    with bench.console() as console:
        console.start_web(bench.static)
        console.start_mqtt()
        assert console.web is not None
        assert console.mqtt is not None
        warm_up(console, bench.options.size(1000, 50))
        for clients in (0, 2) if bench.options.smoke else (0, 10, 50, 200):
            time.sleep(1)
            with Watching(console, clients) as watching:
                before = processor_seconds(console.web.pid), processor_seconds(console.mqtt.pid)
                begun = time.monotonic()
                published(publish(console.broker_port, int(rate * seconds), rate=rate, timed=True))
                took = time.monotonic() - begun
                after = processor_seconds(console.web.pid), processor_seconds(console.mqtt.pid)
            seen = watching.seen
            report.add(
                f"{clients} clients",
                web_cores=(after[0] - before[0]) / took,
                mqtt_cores=(after[1] - before[1]) / took,
                frames_a_second_each=seen["frames"] / took / clients if clients else None,
                KB_a_second_each=seen["bytes"] / took / clients / 1000 if clients else None,
                dropped_clients=seen.get("ended"),
                web_MB=resident_mb(console.web.pid),
            )
    return report
