"""What one open page has been sent and still owes: plain state, bounded by the rows that the page shows."""

from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.utils import timezone

from mqtt.fragments import render_part
from mqtt.live.changes import Change
from mqtt.live.render import Delivery
from mqtt.pages.base import STATES, Shown, Touch
from mqtt.pages.list_page import ListPage
from mqtt.permissions import User

TOTALS_EVERY = 2.0
"""Seconds between two counts for the same page, and between two looks at the menu's badges."""

MOST_ROWS = 200
"""Rows that one page may ask to be kept true."""

TICKS = 4
"""How many in a LIVE_INTERVAL."""

TOTAL = "total"
BADGES = "badges"
EXTRAS = frozenset((TOTAL, BADGES))

NEVER = float("inf")
NO_ROWS: frozenset[int] = frozenset()


@dataclass(eq=False, slots=True)
class Viewer:
    """One open page of one person."""

    user: User
    session_key: str
    language: str
    shown: Shown
    can_operate: bool
    rows: set[Touch] = field(default_factory=set)
    """Stale, to be sent as soon as their interval is over."""
    parts: set[str] = field(default_factory=set)
    extras: set[str] = field(default_factory=set)
    sent: dict[Any, int] = field(default_factory=dict)
    """Hash of what the browser has of each row and part."""
    last: dict[Any, float] = field(default_factory=dict)
    """When each row and part was sent last."""
    dimmed: set[Touch] = field(default_factory=set)
    baseline: int = 0
    """How long the list was when the page was opened, with the rows that it shows and that had left already."""
    new: int = 0
    """How many rows the list has that the page does not show."""
    is_counted: bool = False
    paused: bool = False
    wish: tuple[str | None, list[Touch] | None] | None = None
    """What the browser asked to be shown, not looked up yet: (query, rows)."""
    spoke_at: float = 0.0
    next_at: float = 0.0
    """When the first of what is stale may be sent, by the monotonic clock."""
    noticed: tuple[int, int, str] | None = None
    """What the note above a list was made of last."""

    def __post_init__(self) -> None:
        self.shown.let_rows_go()
        self.baseline = self.shown.total
        self.everything()

    def everything(self) -> None:
        """All of the page is to be sent again: at the start, after a pause, after an outage."""
        self.rows = {(kind, pk) for kind, pks in self.shown.rows.items() for pk in pks}
        self.parts = {part.name for part in self.shown.page.parts}
        self.extras = set(EXTRAS)
        self.last.clear()
        self.next_at = 0.0

    def show(self, shown: Shown) -> None:
        """Look at something else from now on."""
        shown.let_rows_go()
        self.shown = shown
        kept = {(kind, pk) for kind, pks in shown.rows.items() for pk in pks}
        names = {part.name for part in (*shown.page.parts, *shown.page.pulses)} | {BADGES, "notice", "alerts"}
        self.sent = {key: value for key, value in self.sent.items() if key in kept or key in names}
        self.dimmed &= kept
        self.baseline, self.is_counted = shown.total, False
        self.everything()

    def ask(self, query: str | None, rows: list[Touch] | None) -> None:
        """Remember what the browser wants; the hub looks it up with the next flush."""
        known = {(kind, pk) for kind, pks in self.shown.rows.items() for pk in pks}
        is_same = query is None and (rows is None or set(rows) == known)
        self.wish = None if is_same else (query, rows)

    def note(self, change: Change) -> None:
        """Mark what the change makes stale: for a tab that is not looked at, the badges that its title counts."""
        if change.words & STATES:
            self._mark(self.extras, BADGES)
        if self.paused:
            return
        if "status" in change.words:
            # Statuses are few and people wait for them: the click's first answer must not hold back its effect.
            self.last.pop(("connection", change.connection_id), None)
        for kind, shown in self.shown.rows.items():
            for pk in shown.keys() & change.rows.get(kind, NO_ROWS):
                self._mark(self.rows, (kind, pk))
        if change.whole_connection:
            self._note_connection(change.connection_id)
        page = self.shown.page
        for part in page.affected(self.shown, change.touches, change.words):
            self._mark(self.parts, part.name)
        if isinstance(page, ListPage) and (change.words & STATES or f"new {page.kind}" in change.words):
            self._mark(self.extras, TOTAL)

    def _note_connection(self, connection_id: int) -> None:
        for kind, shown in self.shown.rows.items():
            for pk, owner in shown.items():
                if owner == connection_id and kind != "connection":
                    self._mark(self.rows, (kind, pk))

    def _mark(self, stale: set[Any], key: Any) -> None:
        if key not in stale:
            stale.add(key)
            self.next_at = min(self.next_at, self._when(key, settings.LIVE_INTERVAL))

    @property
    def due_at(self) -> float:
        """When the first of what is stale may be sent; 0: now, infinite: nothing is stale."""
        if self.wish:
            return 0.0
        return self.next_at

    def due(self, now: float) -> tuple[set[Touch], set[str], set[str]]:
        """Take what may be sent now: rows, parts, extras."""
        self.next_at = NEVER
        if self.paused:
            self.rows, self.parts, self.extras = set(), set(), self.extras & {BADGES}
        return self._take(self.rows, now), self._take(self.parts, now), self._take(self.extras, now)

    def _take(self, stale: set[Any], now: float) -> set[Any]:
        """Move what may be sent out of `stale`, and note when the first of the rest may be."""
        taken, interval = set(), settings.LIVE_INTERVAL
        for key in stale:
            at = self._when(key, interval)
            if at <= now:
                taken.add(key)
            else:
                self.next_at = min(self.next_at, at)
        stale -= taken
        self.last.update(dict.fromkeys(taken, now))
        return taken

    def _when(self, key: Any, interval: float) -> float:
        """When something may be sent again. Intervals end at common ticks, so that rows travel together."""
        last = self.last.get(key)
        if last is None:
            return 0.0
        tick = interval / TICKS
        if key in EXTRAS:
            interval = TOTALS_EVERY
        elif isinstance(key, str):
            interval = max(interval, next((part.every for part in self.shown.page.parts if part.name == key), 0.0))
        return round(last / tick) * tick + interval

    def frames(self, delivery: Delivery, rows: set[Touch], parts: set[str], badges: str) -> list[str]:
        """The frames for this browser: rows alone, then each table body, then everything else."""
        frames = [self._row_frame(delivery, rows)]
        rest = []
        for part in self.shown.page.parts:
            html = delivery.parts.get(part.name, "") if part.name in parts else ""
            if self._is_news(part.name, html):
                if part.element in {"tr", "tbody"}:
                    frames.append(html)
                else:
                    rest.append(html)
        if delivery.total is not None:
            self._count(delivery.total)
        rest += [html for key, html in ((BADGES, badges), ("notice", self._notice())) if self._is_news(key, html)]
        frames.append("".join(rest))
        return [frame for frame in frames if frame]

    def _row_frame(self, delivery: Delivery, rows: set[Touch]) -> str:
        found = []
        for kind, pks in self.shown.rows.items():
            for pk in pks:
                if (kind, pk) not in rows or (kind, pk) not in delivery.rows:
                    continue
                html, matches = delivery.rows[kind, pk]
                (self.dimmed.discard if matches else self.dimmed.add)((kind, pk))
                if self._is_news((kind, pk), html):
                    found.append(html)
        return "".join(found)

    def _is_news(self, key: Any, html: str) -> bool:
        if not html or self.sent.get(key) == hash(html):
            return False
        self.sent[key] = hash(html)
        return True

    def if_news(self, key: Any, html: str) -> str:
        """The HTML, or nothing when the browser has it."""
        return html if self._is_news(key, html) else ""

    def _count(self, total: int) -> None:
        """Rows leave the list when they are dimmed: only what came besides is new."""
        if not self.is_counted:
            self.is_counted = True
            self.baseline += len(self.dimmed)
        self.new = max(0, total - self.baseline + len(self.dimmed))

    def _notice(self) -> str:
        """The note above a list, where it says something else than before: a flush asks every page for it."""
        told = len(self.dimmed), self.new, f"?{self.shown.params.urlencode()}"
        if told == self.noticed or not isinstance(self.shown.page, ListPage):
            return ""
        self.noticed = told
        context = dict(zip(("changed", "new", "url"), told, strict=True))
        return render_part("mqtt/parts/_notice.html", context, self.language)

    def clock(self) -> str:
        """The server's time: a sign of life, and the truth for ages when a viewer's clock is wrong."""
        return render_part("mqtt/parts/_clock.html", {"now": timezone.now()}, self.language)
