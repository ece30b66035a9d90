"""The command lines of the console's processes."""

import subprocess
import sys
from pathlib import Path

from mqtt.supervisor import programs
from tests.console import environment


def test_pages_are_found_from_any_folder(tmp_path: Path) -> None:
    given = environment(DATA_DIR=tmp_path / "var") | dict(programs.web("127.0.0.1", 8000).environment)
    command = [sys.executable, "-c", "import app.asgi"]
    done = subprocess.run(command, cwd=tmp_path, env=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
