import io
import os
import threading
from pathlib import Path

import pytest

from mqtt.supervisor import output as module
from mqtt.supervisor.output import LOG_FILES, LONGEST_LINE, MOST_WAITING, Output, shown
from tests.servers import PATIENCE, wait_for


def everything(descriptor: int) -> str:
    with os.fdopen(descriptor, "rb") as stream:
        return stream.read().decode()


def followed(output: Output, name: str, said: bytes, noise: tuple[str, ...] = ()) -> None:
    """Everything that a child said has been taken."""
    output.follow(name, io.BytesIO(said), noise)
    wait_for(lambda: all(one.name != f"output-{name}" for one in threading.enumerate()), what="the end of the stream")


def test_lines_carry_the_name_of_their_child() -> None:
    reader, writer = os.pipe()
    output = Output(writer)
    followed(output, "web", b"one\ntwo without an end")
    followed(output, "broker", b"known noise\n", noise=("noise",))
    output.close(PATIENCE)
    os.close(writer)
    assert everything(reader) == "web    | one\nweb    | two without an end\n"


def test_a_line_cannot_steer_the_terminal() -> None:
    assert shown(b"\x1b[2J\x07caf\xc3\xa9\t\xff\r\n") == "�[2J�café\t�"


def test_a_line_without_end_is_cut() -> None:
    reader, writer = os.pipe()
    output = Output(writer)
    followed(output, "web", b"x" * (LONGEST_LINE + 1))
    output.close(PATIENCE)
    os.close(writer)
    assert [len(line) for line in everything(reader).splitlines()] == [LONGEST_LINE + 9, 10]


def test_a_reader_that_does_not_read_stops_nobody() -> None:
    reader, writer = os.pipe()
    output = Output(writer)
    for _ in range(MOST_WAITING + 5000):  # the pipe itself takes some of them
        output.say("a line that nobody reads, " + "and it is long enough to fill the pipe soon" * 2)
    output.close(0.1)
    received = ""
    while "left out" not in received:
        received += os.read(reader, 65536).decode()
    os.close(reader)


def test_a_reader_that_went_away_stops_nobody() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    output = Output(writer)
    output.say("nobody")
    output.say("hears this")
    wait_for(output._targets[0]._lines.empty, what="the end of the lines")
    output.close()
    os.close(writer)


def test_lines_are_kept_in_a_file_but_no_password(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    output = Output(writer)
    output.keep(tmp_path / "logs" / "vedetta.log")
    output.say("ready  password=ebony", kept="ready")
    followed(output, "mqtt", b"connected\n")
    output.close(PATIENCE)
    os.close(writer)
    assert "password=ebony" in everything(reader)
    kept = (tmp_path / "logs" / "vedetta.log").read_text().splitlines()
    assert kept[0].endswith(" ready")
    assert kept[1] == "mqtt   | connected"


def test_log_files_rotate_and_the_oldest_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOG_SIZE", 1000)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    output = Output(nowhere)
    output.keep(tmp_path / "vedetta.log")
    for number in range(200):
        output.say(f"line {number} " + "x" * 60)
    output.close(PATIENCE)
    os.close(nowhere)
    files = sorted(tmp_path.iterdir())
    assert len(files) == LOG_FILES
    assert all(file.stat().st_size <= 1000 for file in files)
    assert "line 199 " in (tmp_path / "vedetta.log").read_text()


def test_a_terminal_that_stands_still_does_not_hold_up_the_file(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    output = Output(writer)
    path = tmp_path / "vedetta.log"
    path.touch()
    output.keep(path)
    for _ in range(1500):  # more than a pipe takes
        output.say("x" * 80)
    output.say("the last one")
    wait_for(lambda: "the last one" in path.read_text(), what="the last line in the file")
    os.close(reader)
    output.close()
    os.close(writer)


def test_a_log_that_cannot_be_written_stops_nobody_and_goes_on_when_it_can(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    output = Output(writer)
    path = tmp_path / "logs" / "vedetta.log"
    output.keep(path)
    path.parent.rmdir()
    output.say("to the terminal alone")
    wait_for(output._targets[1]._lines.empty, what="the line's end")
    path.parent.mkdir()  # the line goes into the file or not: what matters is that the next one does
    output.say("to both")
    output.close(PATIENCE)
    os.close(writer)
    assert everything(reader) == "to the terminal alone\nto both\n"
    assert path.read_text().splitlines()[-1].endswith(" to both")
