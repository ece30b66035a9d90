"""What a process costs, read from /proc: processor time and resident memory."""

import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def processor_seconds(pid: int) -> float:
    """User and system time of a process so far, all threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_mb(pid: int) -> float:
    """Resident memory in MB (10^6 bytes)."""
    return _status_kb(pid, "VmRSS") * 1024 / 1e6


def peak_mb(pid: int) -> float:
    """The highest resident memory so far, in MB."""
    return _status_kb(pid, "VmHWM") * 1024 / 1e6


def _status_kb(pid: int, name: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    return 0


def description() -> dict[str, object]:
    """Where the figures come from: they mean little without."""
    load = [round(one, 2) for one in os.getloadavg()]
    return {"processors": os.cpu_count(), "load_at_start": load, "kernel": os.uname().release}
