"""Plain WebSocket clients in one event loop: they count frames and note when each value came.

`python -m benchmarks.watchers PORT COOKIE CLIENTS PATH` prints `ready`, runs until its input closes, and then
prints JSON: frames, bytes, and for the first client when each measured value was seen.
"""

import asyncio
import base64
import json
import os
import re
import sys
import time

from benchmarks.packets import FIRST_VALUE

VALUE = re.compile(rb'data-value="(\d{7,8})(?:\.\d+)?"')


class Totals:
    """What all clients saw."""

    def __init__(self) -> None:
        self.frames = self.bytes = self.ended = 0
        self.values: dict[int, float] = {}


async def connect(port: int, cookie: str, path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open one WebSocket."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**22)
    key = base64.b64encode(os.urandom(16)).decode()
    writer.write(
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
        f"Cookie: {cookie}\r\n\r\n".encode()
    )
    answer = await reader.readuntil(b"\r\n\r\n")
    first_line = answer.partition(b"\r\n")[0].decode()
    if " 101 " not in first_line:
        raise ConnectionError(f"{path}: {first_line}")
    return reader, writer


async def frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """(opcode, content) of the next frame; servers send unmasked ones."""
    first, second = await reader.readexactly(2)
    size = second & 127
    if size == 126:
        size = int.from_bytes(await reader.readexactly(2), "big")
    elif size == 127:
        size = int.from_bytes(await reader.readexactly(8), "big")
    return first & 15, await reader.readexactly(size)


async def watch(reader: asyncio.StreamReader, totals: Totals, notes: bool) -> None:
    """Read frames until the server ends."""
    try:
        while True:
            opcode, content = await frame(reader)
            totals.frames += 1
            totals.bytes += len(content)
            if opcode == 8:
                break
            if notes:
                now = time.time()
                for found in VALUE.findall(content):
                    value = int(found)
                    if value >= FIRST_VALUE:
                        totals.values.setdefault(value, now)
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    totals.ended += 1


async def main() -> None:
    """Open all, say so, watch until nobody asks any more."""
    port, cookie, clients, path = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
    opened = [await connect(port, cookie, path) for _ in range(clients)]
    totals = Totals()
    tasks = [asyncio.create_task(watch(reader, totals, index == 0)) for index, (reader, _) in enumerate(opened)]
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    for task in tasks:
        task.cancel()
    print(json.dumps({"frames": totals.frames, "bytes": totals.bytes, "ended": totals.ended, "values": totals.values}))


if __name__ == "__main__":
    asyncio.run(main())
