"""The backups that lie in a folder; apart from their making, whose libraries an mqtt process has no use for."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

SUFFIX = ".tar.gz"


@dataclass(frozen=True)
class Made:
    """A backup that lies in a folder."""

    path: Path
    at: datetime
    size: int


def made(folder: Path, kind: str = "vedetta") -> list[Made]:
    """The backups of a kind in a folder, the newest first; none when the folder cannot be read."""
    found = []
    try:
        for path in folder.glob(f"{kind}-*{SUFFIX}"):
            stat = path.stat()
            found.append(Made(path, datetime.fromtimestamp(stat.st_mtime, UTC), stat.st_size))
    except OSError:
        return []
    return sorted(found, key=lambda one: one.path.name, reverse=True)
