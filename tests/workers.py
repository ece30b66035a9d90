"""How `-n auto --dist loadfile`, which scripts/test adds, shares the tests out: whole files, the longest first."""

import os
from pathlib import Path

import pytest
from xdist.scheduler import LoadFileScheduling

MORE = 1
"""Workers beyond the number of processors: many tests wait for servers, brokers and clocks."""
SMALL = 2
"""So few files start sooner than workers do."""


def number(config: pytest.Config) -> int:
    """How many workers; none for a few files and for a debugger."""
    asked = [Path(word.partition("::")[0]) for word in config.args]
    if config.option.usepdb or (len(asked) <= SMALL and all(path.is_file() for path in asked)):
        return 0
    return MORE + (os.cpu_count() or 1)


def place(item: pytest.Item) -> int:
    """The whole console first, then processes and browsers; pytest keeps the order of the rest."""
    return min(
        (place for place, marker in enumerate(("system", "mosquitto")) if item.get_closest_marker(marker)), default=9
    )


class Scheduler(LoadFileScheduling):
    """Whole files, because their tests share servers; all that starts whole consoles to one worker, one by one."""

    def _split_scope(self, nodeid: str) -> str:
        return "tests/system" if nodeid.startswith("tests/system/") else str(super()._split_scope(nodeid))
