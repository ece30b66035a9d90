"""What the supervisor tells others about its children: `run/status.json`, always written whole."""

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

STATUS_FILE = "status.json"


class ChildPhase(StrEnum):
    """Where a child is in its life; `waiting` is the pause before the next try."""

    STARTING = "starting"
    RUNNING = "running"
    WAITING = "waiting"
    STOPPED = "stopped"


@dataclass(frozen=True)
class ChildState:
    """One child, as it was when the file was written."""

    name: str
    pid: int | None
    state: ChildPhase
    started_at: datetime | None
    """Of the newest process of this name, UTC."""
    restarts: int
    """Since the supervisor started."""
    last_exit: int | None
    """Exit code of the process before; negative: the signal that ended it."""


def write_whole(path: Path, text: str) -> None:
    """Replace a file in one step, so that a reader never meets half of it; for its owner only."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
            stream.write(text)
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def write_state(run_dir: Path, children: Iterable[ChildState]) -> None:
    """Publish the children's states under this process's id."""
    rows = [
        {**asdict(child), "started_at": child.started_at.isoformat() if child.started_at else None}
        for child in children
    ]
    write_whole(run_dir / STATUS_FILE, json.dumps({"supervisor": os.getpid(), "children": rows}, indent=1) + "\n")


def read_state(run_dir: Path) -> list[ChildState]:
    """The children of the supervisor that runs on this data folder; empty when none runs."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        content = json.loads((run_dir / STATUS_FILE).read_text())
        os.kill(int(content["supervisor"]), 0)  # raises when the supervisor is gone and the file is its remains
        return [
            ChildState(
                name=row["name"],
                pid=row["pid"],
                state=ChildPhase(row["state"]),
                started_at=datetime.fromisoformat(row["started_at"]) if row["started_at"] else None,
                restarts=row["restarts"],
                last_exit=row["last_exit"],
            )
            for row in content["children"]
        ]
    return []
