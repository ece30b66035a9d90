"""A million readings as a file: how long it takes and how much memory, also for who does not read at once."""

from benchmarks.bench import Bench
from benchmarks.filling import add_partitions, add_readings
from benchmarks.machine import peak_mb, processor_seconds, resident_mb
from benchmarks.report import Report

ROWS = 1_000_000
FORMS = ("csv", "excel-it", "jsonl")
STALL = 3.0
"""Seconds without reading: what is written meanwhile must not pile up."""


def measure(bench: Bench) -> Report:
    """Each form, then CSV to somebody who stalls."""
    rows = bench.options.size(ROWS, 2_000)
    report = bench.report("export", f"{rows:,} readings of one sensor as a file; memory of the web process")
    for kind in bench.options.kinds[: bench.options.size(2, 1)]:
        with bench.filled(kind, 1) as console:
            add_partitions(console.store, rows // 86400 + 2)
            sensor = int(console.store.ask("SELECT id, unit FROM mqtt_sensordevice ORDER BY id DESC LIMIT 1")[0][0])
            add_readings(console.store, sensor, rows, 1)
            assert console.web is not None
            path = f"/sensors/{sensor}/export/?export="
            console.get(f"/sensors/{sensor}/export/?last=24h")
            for name, form, pause in [
                *((form, form, 0.0) for form in FORMS),
                ("csv, a reader that stalls", "csv", STALL),
            ]:
                before, spent = resident_mb(console.web.pid), processor_seconds(console.web.pid)
                seconds, size = console.download(path + form, 0 if bench.options.smoke else pause)
                report.add(
                    f"{kind}, {name}",
                    seconds=seconds,
                    processor_s=processor_seconds(console.web.pid) - spent,
                    file_MB=size / 1e6,
                    memory_before_MB=before,
                    memory_peak_MB=peak_mb(console.web.pid),
                )
    return report
