"""How long each list page takes with 10,000 sensors in the database."""

from urllib.error import HTTPError

from benchmarks.bench import Bench
from benchmarks.report import Report, middle

SENSORS, SMOKE_SENSORS = 10_000, 100
PAGES = (
    "/",
    "/connections/",
    "/sites/",
    "/gateways/",
    "/dataloggers/",
    "/sensors/",
    "/sensors/?page=150",
    "/sensors/?sort=-value",
    "/sensors/?search=dl-00042",
    "/topics/",
    "/undecoded/",
    "/search/?q=dl-00042",
    "/audit/",
)


def measure(bench: Bench) -> Report:
    """Each page several times, the first one apart: it fills caches."""
    sensors = bench.options.size(SENSORS, SMOKE_SENSORS)
    report = bench.report("pages", f"Milliseconds to the last byte, {sensors:,} sensors in the database")
    for kind in bench.options.kinds[: bench.options.size(2, 1)]:
        with bench.filled(kind, sensors) as console:
            for path in PAGES:
                try:
                    first, *times = [console.get(path) for _ in range(bench.options.size(12, 2))]
                except HTTPError as error:
                    report.add(f"{kind} {path}", answer=error.code)
                    error.close()
                    continue
                report.add(f"{kind} {path}", median=middle(times), longest=max(times), first=first)
    return report
