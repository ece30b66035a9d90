import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from mqtt.supervisor.state import STATUS_FILE, ChildPhase, ChildState, read_state, write_state

CHILD = ChildState("web", 123, ChildPhase.RUNNING, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), 2, -9)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    stopped = ChildState("mqtt", None, ChildPhase.STOPPED, None, 0, None)
    write_state(tmp_path, [CHILD, stopped])
    assert read_state(tmp_path) == [CHILD, stopped]


def test_nothing_is_known_without_a_supervisor(tmp_path: Path) -> None:
    assert read_state(tmp_path) == []
    assert read_state(tmp_path / "missing") == []


def test_the_remains_of_a_killed_supervisor_say_nothing(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    write_state(tmp_path, [CHILD])
    content = json.loads((tmp_path / STATUS_FILE).read_text())
    (tmp_path / STATUS_FILE).write_text(json.dumps(content | {"supervisor": gone.pid}))
    assert read_state(tmp_path) == []


def test_a_damaged_file_says_nothing(tmp_path: Path) -> None:
    for text in ("", "[]", "{", json.dumps({"supervisor": os.getpid(), "children": [{}]}), '{"supervisor": null}'):
        (tmp_path / STATUS_FILE).write_text(text)
        assert read_state(tmp_path) == []
