"""Learning how often devices speak from what each batch heard; kept beside the batches, in bulk and rarely.

Only live traffic teaches: what waited in the broker, was sent again, was kept by a device or came after our own absence
says nothing about a rhythm, and neither lengthens nor shortens one.
"""

import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.db import DatabaseError, InterfaceError, transaction

from mqtt.enums import NodeKind
from mqtt.gaps import UTTERANCE_US, Gaps
from mqtt.models import DataloggerRhythm, GatewayRhythm, SensorRhythm
from mqtt.services.pipeline.batch_plan import BatchPlan
from mqtt.services.pipeline.bulk_rows import write_rows
from mqtt.services.pipeline.device_entries import NodeEntry, SensorEntry
from mqtt.services.pipeline.facts import said_interval

logger = logging.getLogger(__name__)

Entry = NodeEntry | SensorEntry

MODELS: dict[str, Any] = {
    NodeKind.GATEWAY: GatewayRhythm,
    NodeKind.DATALOGGER: DataloggerRhythm,
    NodeKind.SENSOR: SensorRhythm,
}
WRITE_EVERY = 1.0
"""Seconds between two visits to the database, if there is anything to read or write."""
MOST_READ, MOST_WRITTEN = 4000, 500
"""Of one visit: it must not hold up the next batch."""
CHUNK = 400
SHORT_BLINDNESS = 10
"""A gap counts although the link was down meanwhile when it is so many times as long as the interruption."""

_UPSERT = """
INSERT INTO mqtt_{kind}rhythm ({kind}_id, interval, source, late_after, offline_after, memory)
{{rows}}
ON CONFLICT ({kind}_id) DO UPDATE SET
    interval = excluded.interval, source = excluded.source, late_after = excluded.late_after,
    offline_after = excluded.offline_after, memory = excluded.memory
"""
_TYPES = ("bigint", "double precision", "text", "double precision", "double precision", "bytea")


@dataclass(slots=True)
class _Link:
    """When a connection was last heard, and its latest interruption: since when, and for how long at most."""

    session: int
    heard_us: int
    lost_us: int = 0
    blind_us: int = 0


class RhythmKeeper:
    """The gaps of the devices in the directory; used from the processor's thread."""

    def __init__(self) -> None:
        self._links: dict[int, _Link] = {}
        self._strangers: dict[Entry, None] = {}
        """Heard for the first time: what was stored of them is not read yet."""
        self._due: dict[Entry, None] = {}
        self._visit_at = 0.0

    def learn(self, plan: BatchPlan) -> None:
        """After the commit: count the gaps that end in this batch."""
        self._follow(plan)
        for heard in (plan.seen, plan.node_seen):
            for entry, at in heard.items():
                gaps = entry.gaps
                if gaps is None:
                    entry.gaps = gaps = Gaps()
                    self._strangers[entry] = None
                gap = at - gaps.heard_us
                if 0 <= gap < UTTERANCE_US:
                    continue
                if not plan.uncertain and gaps.rests(gap, at):
                    gaps.heard_us = at
                    continue
                if self._counts(plan, entry, gaps, at) and gaps.add(gap, at):
                    self._due[entry] = None

    def said(self, nodes: Iterable[NodeEntry]) -> None:
        """These devices named another interval."""
        for node in nodes:
            if node.gaps is not None and node.gaps.is_kept:
                self._due[node] = None

    def forget(self, connection_ids: set[int]) -> None:
        """The directory looks these connections up again."""
        for pk in connection_ids:
            self._links.pop(pk, None)
        for entries in (self._strangers, self._due):
            for entry in [one for one in entries if one.connection_id in connection_ids]:
                del entries[entry]

    def visit(self) -> None:
        """Read and write what waits, in a transaction of its own, once a second; later while the database is away."""
        now = time.monotonic()
        if now < self._visit_at or not (self._strangers or self._due):
            return
        self._visit_at = now + WRITE_EVERY
        try:
            with transaction.atomic():
                known = list(islice(self._strangers, MOST_READ))
                self._read(known)
                written = list(islice(self._due, MOST_WRITTEN))
                self._write(written)
        except (DatabaseError, InterfaceError) as error:
            # A device was deleted this moment, or the database is away: the next visit tries again.
            logger.info("Rhythms could not be kept: %s", str(error).strip())
            return
        for entry in known:
            self._strangers.pop(entry, None)
        for entry in written:
            self._due.pop(entry, None)

    def _follow(self, plan: BatchPlan) -> None:
        """Notice which connections have a new session, and for how long nothing could be heard before it."""
        for pk, last in plan.last_messages.items():
            link = self._links.get(pk)
            if link is None:
                self._links[pk] = _Link(last.session, last.received_us)
                continue
            if link.session != last.session:
                link.session, link.lost_us = last.session, link.heard_us
                link.blind_us = max(0, last.received_us - link.heard_us)
            link.heard_us = last.received_us

    def _counts(self, plan: BatchPlan, entry: Entry, gaps: Gaps, at: int) -> bool:
        """Note that a device was heard; whether the gap that ended tells its rhythm."""
        lag = plan.behind.get(entry)
        if lag is None:
            gaps.lag_us = 0
        elif gaps.is_backlog(lag):
            return False
        before, gaps.heard_us = gaps.heard_us, at
        if entry.connection_id in plan.uncertain:
            gaps.heard_us = 0
            return False
        link = self._links[entry.connection_id]
        was_blind = before <= link.lost_us and at - before < SHORT_BLINDNESS * link.blind_us
        return bool(before) and not was_blind and gaps.is_kept

    def _read(self, entries: Sequence[Entry]) -> None:
        for kind, group in _by_kind(entries).items():
            for start in range(0, len(group), CHUNK):
                chunk = {entry.id: entry for entry in group[start : start + CHUNK]}
                rows = MODELS[kind].objects.filter(pk__in=list(chunk)).values_list("pk", "memory", "interval", "source")
                stored = {pk: (bytes(memory), interval, source) for pk, memory, interval, source in rows}
                for pk, entry in chunk.items():
                    memory, *known = stored.get(pk, (b"", None, ""))
                    gaps = entry.gaps or Gaps()
                    gaps.unpack(memory)
                    said = _said(entry)
                    if (said is not None and known != [said, "said"]) or (said is None and known[1] == "said"):
                        self._due[entry] = None

    def _write(self, entries: Sequence[Entry]) -> None:
        for kind, group in _by_kind(entries).items():
            there = set[int]()
            for start in range(0, len(group), CHUNK):
                ids = [entry.id for entry in group[start : start + CHUNK]]
                devices = MODELS[kind]._meta.pk.related_model.objects  # noqa: SLF001 - Django's documented name
                there |= set(devices.filter(pk__in=ids).values_list("pk", flat=True))
            rows = [_row(entry) for entry in group if entry.id in there]
            write_rows(_UPSERT.format(kind=kind), _TYPES, rows)


def _row(entry: Entry) -> tuple[Any, ...]:
    gaps = entry.gaps or Gaps()
    interval, source, late, offline = gaps.expectation(_said(entry))
    return entry.id, interval, str(source), late, offline, gaps.pack()


def _said(entry: Entry) -> float | None:
    return None if isinstance(entry, SensorEntry) else said_interval(entry.facts)


def _by_kind(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        kind = NodeKind.SENSOR if isinstance(entry, SensorEntry) else entry.kind
        groups.setdefault(kind.value, []).append(entry)
    return groups
