import io
import os
import time

from mqtt.supervisor.output import LONGEST_LINE, MOST_WAITING, Output, shown
from tests.servers import wait_for


def everything(descriptor: int) -> str:
    with os.fdopen(descriptor, "rb") as stream:
        return stream.read().decode()


def test_lines_carry_the_name_of_their_child() -> None:
    reader, writer = os.pipe()
    output = Output(writer)
    output.follow("web", io.BytesIO(b"one\ntwo without an end"))
    output.follow("broker", io.BytesIO(b"known noise\n"), noise=("noise",))
    time.sleep(0.1)
    output.close()
    os.close(writer)
    assert everything(reader) == "web    | one\nweb    | two without an end\n"


def test_a_line_cannot_steer_the_terminal() -> None:
    assert shown(b"\x1b[2J\x07caf\xc3\xa9\t\xff\r\n") == "�[2J�café\t�"


def test_a_line_without_end_is_cut() -> None:
    reader, writer = os.pipe()
    output = Output(writer)
    output.follow("web", io.BytesIO(b"x" * (LONGEST_LINE + 1)))
    time.sleep(0.1)
    output.close()
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
    wait_for(output._lines.empty, what="the end of the lines")
    output.close()
    os.close(writer)
