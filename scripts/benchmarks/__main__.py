"""`scripts/bench [name ...]`: run the benches, print their tables, write DATA_DIR/bench.json."""

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import (
    api,
    bench,
    crash,
    decode,
    export,
    fanout,
    history,
    ingest,
    latency,
    machine,
    memory,
    page_cost,
    pages,
    scale,
    start,
)
from benchmarks.report import Report
from benchmarks.stores import ROOT

BENCHES: dict[str, Callable[[bench.Bench], Report]] = {
    "decode": decode.measure,
    "ingest": ingest.measure,
    "latency": latency.measure,
    "fanout": fanout.measure,
    "browser": page_cost.measure,
    "crash": crash.measure,
    "memory": memory.measure,
    "scale": scale.measure,
    "pages": pages.measure,
    "start": start.measure,
    "api": api.measure,
    "history": history.measure,
    "export": export.measure,
}


def arguments() -> argparse.Namespace:
    """What was asked."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measures the console side by side in one run.")
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(BENCHES))
    parser.add_argument("--smoke", action="store_true", help="tiny numbers: is everything still measured?")
    parser.add_argument("--runs", type=int, default=3, help="repetitions, of which the median is shown (3)")
    parser.add_argument("--database", choices=("SQLite", "PostgreSQL"), help="only this one")
    parser.add_argument("--seconds", type=float, default=0, help="length of each timed part, where there is one")
    parser.add_argument("--readings", type=int, default=100_000_000, help="for history: how many there are (100000000)")
    found = parser.parse_args()
    unknown = set(found.names) - set(BENCHES)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(BENCHES)}")
    return found


def data_dir() -> Path:
    """Where the results belong, read before the benches set folders of their own."""
    folder = Path(os.environ.get("DATA_DIR") or ROOT / "var").expanduser().resolve()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def main() -> None:
    """Run what was asked; a bench that fails says so and the others still run."""
    asked = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # stop what was started, as Ctrl-C does
    output = data_dir() / "bench.json"
    kinds = (asked.database,) if asked.database else ("SQLite", "PostgreSQL")
    options = bench.Options(asked.smoke, 1 if asked.smoke else asked.runs, kinds, asked.seconds, asked.readings)
    kept: dict[str, object] = {"machine": machine.description(), "smoke": asked.smoke, "benches": {}}
    failed = []
    with bench.running(options) as running:
        for name in asked.names or BENCHES:
            begun = time.monotonic()
            print(f"{name} ...", flush=True)
            try:
                BENCHES[name](running)
            except Exception as error:  # noqa: BLE001 - one bench that cannot run must not hide the others
                failed.append(f"{name} did not run: {error}\n" + "\n".join(getattr(error, "__notes__", [])))
            running.reports[-1].notes.append(f"({time.monotonic() - begun:.0f} s)")
    kept["benches"] = {report.bench: report.as_json() for report in running.reports}
    output.write_text(json.dumps(kept, indent=1))
    for report in running.reports:
        print(f"\n{report.as_text()}")
    print(f"\n{machine.description()}\nWritten to {output}")
    if failed:
        raise SystemExit("\n".join(failed))


if __name__ == "__main__":
    main()
