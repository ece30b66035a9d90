"""How long work tells its progress."""

import sys
from typing import Any

import pytest

from mqtt.management import progress
from mqtt.management.progress import IN_A_LOG, QUIET, Progress


@pytest.mark.parametrize(
    ("is_terminal", "first", "words"),
    [(True, QUIET, "\r\033[Kcopying 50 % ..."), (False, IN_A_LOG, "copying 50 % ...\n")],
)
def test_work_of_a_few_seconds_leaves_no_line_in_a_log(
    is_terminal: bool, first: float, words: str, monkeypatch: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(sys.stderr, "isatty", lambda: is_terminal)
    tell = Progress()
    now[0] += first - 0.1
    tell("copying", 1, 2)
    assert capsys.readouterr().err == ""
    now[0] += 0.2
    tell("copying", 1, 2)
    assert capsys.readouterr().err == words
