"""A parsed payload as lines that a person can click on: each leaf with its JMESPath."""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

MOST_LINES = 300
MOST_DEPTH = 12
SHOWN = 80

_PLAIN_KEY = re.compile(r"[A-Za-z_]\w*", re.ASCII)


class Line(NamedTuple):
    """One line: `path` is empty for what holds others, `shown` the value's beginning."""

    depth: int
    key: str
    path: str
    shown: str


def lines_of(document: Any) -> list[Line]:
    """At most MOST_LINES lines of a document."""
    found = []
    for line in _walk(document, "", "", 0):
        found.append(line)
        if len(found) >= MOST_LINES:
            break
    return found


def _walk(value: Any, key: str, path: str, depth: int) -> Iterator[Line]:
    if isinstance(value, dict | list) and value and depth < MOST_DEPTH:
        if depth:
            yield Line(depth - 1, key, "", "")
        if isinstance(value, dict):
            for name, inner in value.items():
                step = name if _PLAIN_KEY.fullmatch(name) else json.dumps(name, ensure_ascii=False)
                yield from _walk(inner, name, f"{path}.{step}" if path else step, depth + 1)
        else:
            for index, inner in enumerate(value):
                yield from _walk(inner, f"[{index}]", f"{path}[{index}]", depth + 1)
    else:
        shown = json.dumps(value, ensure_ascii=False)
        yield Line(max(0, depth - 1), key, path or "@", shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}…")
