"""How `-n auto --dist loadgroup`, which scripts/test adds, shares the tests out: whole files, the longest first."""

import os
from pathlib import Path

import pytest

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


def group(item: pytest.Item) -> str:
    """What one worker runs together: a file, because its tests share servers, or all that starts whole consoles."""
    return "system" if item.get_closest_marker("system") else str(item.path)
