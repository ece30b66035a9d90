"""What a broker sends, read many packets at once."""

from collections.abc import Iterator

from mqtt.services.mqtt_connection.bounded_client import BoundedClient
from mqtt.services.mqtt_connection.packets import PacketCutter

READS_A_ROUND = 8
"""Reads before acknowledgements get their turn."""

READ_BYTES = 64 * 1024


class Reader:
    """Stands between a client's socket and paho, which then reads only what `pass_on` hands to it."""

    def __init__(self, client: BoundedClient) -> None:
        self._client = client
        self._cutter = PacketCutter()
        self._for_paho: bytes | OSError = b""
        self._receive = client._sock_recv  # noqa: SLF001 - paho offers no other way to read many packets at once
        client._sock_recv = self._serve  # type: ignore[assignment,method-assign]  # noqa: SLF001

    @property
    def lost(self) -> int:
        """Bytes at the end of the packet in hand that were thrown away."""
        return self._cutter.lost

    def reads(self) -> Iterator[Iterator[tuple[bytes, int]]]:
        """Until the socket is empty, the packets of each read: (packet, where its body begins).

        paho learns here that the connection has ended. Walking a read's packets raises MalformedPacketError.
        """
        for _ in range(READS_A_ROUND):
            try:
                data = self._receive(READ_BYTES)
            except BlockingIOError:
                return
            except OSError as error:
                self.pass_on(error)
                return
            if not data:
                self.pass_on(ConnectionResetError("the broker closed the connection"))
                return
            yield self._cutter.cut(data)

    def pass_on(self, what: bytes | OSError) -> None:
        """Let paho read one packet, or the end of the connection."""
        self._for_paho = what
        self._client.loop_read()

    def _serve(self, size: int) -> bytes:
        """Stands where paho asks the socket."""
        what = self._for_paho
        if isinstance(what, OSError):
            raise what
        if not what:
            raise BlockingIOError
        self._for_paho = what[size:]
        return what[:size]
