"""What a broker session reports, in order: whether it is up, what the broker granted, whether it fell silent."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace

from mqtt.enums import ConnectionStatus
from mqtt.services.sessions.link_reasons import Reason
from mqtt.services.sessions.reports import Report

REPORTS_KEPT = 200


class Voice:
    """The session's own thread speaks; who reads takes from the left of `reports`."""

    def __init__(self, notify: Callable[[], None]) -> None:
        """`notify` is called after each report."""
        self.reports: deque[Report] = deque(maxlen=REPORTS_KEPT)
        self._notify = notify
        self._up = Report(status=ConnectionStatus.CONNECTED)
        self._is_silent = False
        self._note: Reason | None = None

    @property
    def may_fall_silent(self) -> bool:
        """Whether silence would be news: the broker brings messages, or seems to."""
        return not self._is_silent and self._up.status is ConnectionStatus.CONNECTED

    def report(self, status: ConnectionStatus, reason: Reason | None = None, **facts: object) -> None:
        """Report a status with what else the database must learn, as in `Report`."""
        self._add(Report(status=status, reason=reason, **facts))  # type: ignore[arg-type]

    def link_up(self, kept_filters: Iterable[str], note: Reason | None = None) -> None:
        """The broker took us; `note`: what is to be known of it when there is nothing worse."""
        self._note = note
        self._up = Report(status=ConnectionStatus.CONNECTED, reason=note)
        self._is_silent = False
        kept = tuple(sorted(kept_filters))
        self.report(ConnectionStatus.CONNECTED, note, connected=True, session_open=True, kept_filters=kept)

    def answered(self, report: Report) -> None:
        """The broker answered to all filters; as long as the link is up that is how it stands."""
        report = replace(report, reason=report.reason or self._note)
        self._up = Report(status=report.status, reason=report.reason)
        self._is_silent = False
        self._add(report)

    def keeps(self, filters: Iterable[str]) -> None:
        """The broker's session holds other filters now."""
        self.report(self._up.status, self._up.reason, kept_filters=tuple(sorted(filters)))

    def silent(self, silence: Reason) -> None:
        """Nothing is heard of any device."""
        self._is_silent = True
        self.report(ConnectionStatus.SILENT, silence)

    def heard(self) -> None:
        """A device spoke: silence is over."""
        if self._is_silent:
            self._is_silent = False
            self._add(self._up)

    def _add(self, report: Report) -> None:
        self.reports.append(report)
        self._notify()
