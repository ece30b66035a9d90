"""How long a reading takes: to its row, to a WebSocket frame, to the page in Chromium; and a click to its effect.

Fifty probe sensors speak in turn, each every 2.5 s, so that their rows were quiet; a thousand others make the load.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from benchmarks import packets
from benchmarks.bench import Bench
from benchmarks.browser import Browser, is_installed
from benchmarks.console import Console, publish, published, warm_up
from benchmarks.report import Report, middle, percentile
from benchmarks.watching import Watching

RATES = (100, 500, 2_000, 5_000)
PROBES = 50
PROBES_A_SECOND = 20
SECOND_RUN = 1_000_000
"""Numbers of the browser's messages, so that values of the run before are not taken for them."""
PAGE = "/sensors/?search=probe"
SOCKET = f"/ws{PAGE}"
QUIET = 1.5
"""Seconds after opening a page: what it showed at first counts as a change of every row."""
LATE = 5.0
"""Seconds to wait for the last probes."""


class RowTimes:
    """Notes when each probe's row is there, seen from another connection to the database."""

    def __init__(self, console: Console, expected: list[int]) -> None:
        self.seen: dict[int, float] = {}
        sensors = console.store.sensors("bench/probes")
        self._way = [(value, sensors[f"probe-{index % PROBES}"]) for index, value in enumerate(expected)]
        self._newest: Callable[[int], float] = console.store.newest
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._stopped = False

    def _watch(self) -> None:
        for value, sensor in self._way:
            while self._newest(sensor) < value:
                if self._stopped:
                    return
                time.sleep(0.001)
            self.seen[value] = time.time()

    @contextmanager
    def noting(self) -> Iterator[None]:
        """Watch while the block runs, and a little longer for the last."""
        self._thread.start()
        try:
            yield
            self._thread.join(LATE)
        finally:
            self._stopped = True
            self._thread.join()


def measure(bench: Bench) -> Report:
    """Every rate on every database, then the browser."""
    report = bench.report("latency", "Milliseconds from publish, rows that were quiet before")
    seconds = bench.options.seconds or bench.options.size(12, 1)
    for kind in bench.options.kinds[: bench.options.size(2, 1)]:
        for rate in (100,) if bench.options.smoke else RATES:
            with live_console(bench, kind) as console:
                rows, frames = to_row_and_frame(console, rate, seconds)
                add(report, f"{kind}, {rate:,}/s, to row", rows)
                add(report, f"{kind}, {rate:,}/s, to WebSocket frame", frames)
                if is_installed() and (kind == "SQLite" or not bench.options.smoke):
                    add(report, f"{kind}, {rate:,}/s, to DOM", to_page(console, rate, seconds, 0))
                    if rate == 2_000:
                        add(report, f"{kind}, 2,000/s, to DOM, 50 pages", to_page(console, rate, seconds, 49))
    if is_installed():
        with live_console(bench, "SQLite") as console, Browser(console) as browser:
            clicks = [browser.switch_off_and_on() for _ in range(bench.options.size(5, 1))]
        add(report, "click on disable to status in the browser", [off for off, _ in clicks])
        add(report, "click on enable to status in the browser", [on for _, on in clicks])
    return report


@contextmanager
def live_console(bench: Bench, kind: str) -> Iterator[Console]:
    """A running console that knows all sensors."""
    with bench.console(kind) as console:
        console.start_web(bench.static)
        console.start_mqtt()
        warm_up(console, bench.options.size(1000, 100), PROBES)
        time.sleep(1)
        yield console


def add(report: Report, name: str, seconds: list[float]) -> None:
    """One row of percentiles."""
    found = [one * 1000 for one in seconds]
    p95, p99 = percentile(found, 0.95), percentile(found, 0.99)
    report.add(name, p50=middle(found), p95=p95, p99=p99, longest=max(found, default=None), probes=len(found))


def expected(rate: int, seconds: float) -> tuple[int, int, list[int]]:
    """(messages, every how many a probe, the probes' values)."""
    count, every = int(rate * seconds), rate // PROBES_A_SECOND
    return count, every, [packets.FIRST_VALUE + number for number in range(0, count, every)]


def send(console: Console, rate: int, count: int, every: int, first: int = 0) -> dict[int, float]:
    """Publish at a rate; returns when each probe left."""
    options = {"rate": rate, "probe_every": every, "probes": PROBES, "timed": True, "first": first}
    report = published(publish(console.broker_port, count, **options))
    return {int(value): moment for value, moment in report["probes"].items()}


def to_row_and_frame(console: Console, rate: int, seconds: float) -> tuple[list[float], list[float]]:
    """Seconds to the row and to the frame."""
    count, every, values = expected(rate, seconds)
    rows = RowTimes(console, values)
    with Watching(console, 1, SOCKET) as watching, rows.noting():
        time.sleep(QUIET)
        sent = send(console, rate, count, every)
        time.sleep(QUIET)  # the last frames
    frames = {int(value): moment for value, moment in watching.seen["values"].items()}
    return between(sent, rows.seen), between(sent, frames)


def to_page(console: Console, rate: int, seconds: float, others: int) -> list[float]:
    """Seconds to the changed cell in Chromium, while other clients have the page open too."""
    count, every, _ = expected(rate, seconds)
    with Browser(console) as browser, Watching(console, others, SOCKET):
        browser.open(PAGE)
        time.sleep(QUIET)
        browser.note_values()
        sent = send(console, rate, count, every, SECOND_RUN * (2 if others else 1))
        time.sleep(2)
        return between(sent, browser.noted())


def between(sent: dict[int, float], seen: dict[int, float]) -> list[float]:
    """How long each probe took, of those that were seen."""
    return [seen[value] - moment for value, moment in sent.items() if value in seen]
