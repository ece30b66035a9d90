"""What one open page costs its browser while much comes in: each part of Chromium, and the page's main thread."""

import time
from dataclasses import dataclass
from typing import Any

from benchmarks.bench import Bench
from benchmarks.browser import Browser, is_installed
from benchmarks.console import Console, publish, published, warm_up
from benchmarks.report import Report
from benchmarks.watching import Watching

RATE = 5_000
PATHS = {"list of sensors": "/sensors/", "overview": "/"}
SOCKETS = {"/": "/ws/overview/"}
"""Of pages whose socket has another path."""
NUMBERS = 1_000_000
"""Messages of a run: each has values of its own, or a row would not change."""
SETTLES = 3.0
"""Seconds in which the page's own opening still costs."""
PARTS = {"script": "ScriptDuration", "style": "RecalcStyleDuration", "layout": "LayoutDuration", "main": "TaskDuration"}


@dataclass(frozen=True)
class Spent:
    """Seconds so far: of each kind of process, and of the page's main thread by what it did."""

    processes: dict[str, float]
    page: dict[str, float]

    @classmethod
    def by(cls, browser: Browser) -> "Spent":
        """Ask Chromium itself; a headless one also draws, in its GPU process."""
        processes: dict[str, float] = {}
        for one in browser.ask_browser("SystemInfo.getProcessInfo")["processInfo"]:
            processes[one["type"]] = processes.get(one["type"], 0.0) + one["cpuTime"]
        metrics = {one["name"]: one["value"] for one in browser.ask_page("Performance.getMetrics")["metrics"]}
        return cls(processes, {name: metrics[key] for name, key in PARTS.items()})

    def since(self, before: "Spent", seconds: float) -> dict[str, float]:
        """Cores between two moments."""
        kinds = {"renderer": "page_process", "GPU": "drawing"}
        found = {name: self.processes[kind] - before.processes[kind] for kind, name in kinds.items()}
        found["all_of_Chromium"] = sum(self.processes.values()) - sum(before.processes.values())
        found |= {name: self.page[name] - before.page[name] for name in PARTS}
        return {name: value / seconds for name, value in found.items()}


def measure(bench: Bench) -> Report:
    """Each page under load."""
    report = bench.report("browser", f"What an open page costs its browser, in cores, at {RATE:,} messages/s")
    if not is_installed():
        report.notes.append("There is no Chromium.")
        return report
    rate, seconds = bench.options.size(RATE, 200), bench.options.seconds or bench.options.size(20, 1)
    with bench.console() as console:
        console.start_web(bench.static)
        console.start_mqtt()
        warm_up(console, bench.options.size(1000, 50))
        for name, path in PATHS.items():
            for run in range(bench.options.runs):
                report.add(f"{name}, {run + 1}", **cost(console, path, rate, seconds, run * NUMBERS))
    return report


def cost(console: Console, path: str, rate: int, seconds: float, first: int) -> dict[str, Any]:
    """Cores of one page while `rate` messages a second come, and what it is sent meanwhile."""
    with Browser(console) as browser:
        browser.open(path)
        publisher = publish(console.broker_port, int(rate * (seconds + SETTLES)), rate=rate, timed=True, first=first)
        time.sleep(SETTLES)
        with Watching(console, 1, SOCKETS.get(path, f"/ws{path}")) as watching:
            before, begun = Spent.by(browser), time.monotonic()
            time.sleep(max(0.5, seconds - 1))
            after, took = Spent.by(browser), time.monotonic() - begun
        published(publisher)
    sent = {"frames_a_second": watching.seen["frames"] / took, "KB_a_second": watching.seen["bytes"] / took / 1000}
    return after.since(before, took) | sent
