"""What an event means for pages: which rows look different now, and which words describe it."""

from dataclasses import dataclass, field

from mqtt.events import (
    CommandChanged,
    ConnectionTestChanged,
    Event,
    ReadingsStored,
    RowsChanged,
    SiteChanged,
    StatusUpdate,
)
from mqtt.pages.base import Touch


@dataclass(slots=True)
class Change:
    """An event in the words that pages understand."""

    connection_id: int = 0
    rows: dict[str, set[int]] = field(default_factory=dict)
    """{kind: primary keys} whose rows look different now."""
    words: set[str] = field(default_factory=set)
    whole_connection: bool = False
    """All devices of the connection look different: others vouch for them now, or more changed than are named."""

    _touches: set[Touch] | None = None

    @property
    def touches(self) -> set[Touch]:
        """The rows as pairs of kind and key; made once for all pages."""
        if self._touches is None:
            self._touches = {(kind, pk) for kind, pks in self.rows.items() for pk in pks}
        return self._touches

    def join(self, other: "Change") -> None:
        """Add a later change of the same connection, before any page looked at it."""
        for kind, pks in other.rows.items():
            self.rows.setdefault(kind, set()).update(pks)
        self.words |= other.words
        self.whole_connection |= other.whole_connection


def change_of(event: Event) -> Change:
    """What an event means for pages."""
    change = Change(connection_id=event.connection_id)
    if isinstance(event, StatusUpdate):
        change.rows = {"connection": {event.connection_id}}
        only_rates = set(event.changed) == {"activity"}
        change.words = {"rates"} if only_rates else {"status"}
        # Rates are announced every 2 s: they are on the connection's row alone, and must not use up the
        # interval of its devices' rows.
        change.whole_connection = not only_rates
    elif isinstance(event, RowsChanged):
        _note_devices(change, event)
    elif isinstance(event, ConnectionTestChanged):
        change.rows = {"connection": {event.connection_id}}
        change.words = {"test"}
    elif isinstance(event, CommandChanged):
        change.rows = {"connection": {event.connection_id}, "command": {event.command_id}}
        change.words = {"new command"}
    elif isinstance(event, SiteChanged):
        change.rows = {"site": {event.site_id}}
        change.words = {"site"}
    return change


def _note_devices(change: Change, event: RowsChanged) -> None:
    for name in ("sensors", "dataloggers", "gateways", "topics"):
        pks = getattr(event, name, None)
        if pks:
            change.rows[name[:-1]] = set(pks)
    if event.more:
        # Not all are named: whatever a page shows of this connection is read again.
        change.rows["connection"] = {event.connection_id}
        change.whole_connection = True
    change.words = {"availability"}
    if isinstance(event, ReadingsStored):
        change.words = {"readings"}
        change.words |= {f"new {name[:-1]}" for name, count in event.created.items() if count}
        if event.undecoded:
            change.words.add("new undecoded")
        if any(word.startswith("new") for word in change.words):
            change.words.add("new")
