"""What the database and the mqtt processes say, as Prometheus takes it: gathered anew for each scrape."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Count
from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.registry import Collector

from mqtt.enums import ConnectionStatus, NodeKind
from mqtt.models import ConnectionActivity, MqttConnection, PeriodicJob, StatusChange
from mqtt.services import disk, pressure
from mqtt.services.backup.made import made
from mqtt.services.health import check_health
from mqtt.services.versions import database_version

Family = Any
Names = dict[int, tuple[str, str]]
WHICH = ("connection_id", "connection")
"""A name may change, and is what people look for; the number stays."""

TOTALS = {
    "messages": "Messages received.",
    "readings": "Readings taken out of them.",
    "undecoded": "Messages that were not understood.",
    "dropped": "QoS 0 messages that came faster than they could be stored.",
    "refused": "Messages with something of a new device, beyond what is kept of a connection.",
    "repeated": "Messages that were sent again although they were stored.",
}
"""Kept in the database: they go on through restarts of the mqtt processes."""
SECONDLY = {"message_rate": "Messages a second.", "reading_rate": "Readings a second."}


class ConsoleCollector(Collector):
    """All families that are not counted in this process."""

    def collect(self) -> Iterator[Family]:
        """Ask everybody once; what does not answer is left out, and said by vedetta_health."""
        yield _info()
        yield from _health()
        yield from _processes()
        try:
            yield from [*_connections(), *_jobs(), *_disk()]
        except DatabaseError:
            return
        yield from _backups()


def scrape(own: CollectorRegistry) -> bytes:
    """The text of /metrics: what this process counts, and what everybody says."""
    everybody = CollectorRegistry()
    everybody.register(ConsoleCollector())
    return generate_latest(own) + generate_latest(everybody)


def _info() -> Family:
    return InfoMetricFamily("vedetta", "What runs here.", {"version": settings.VERSION, "database": database_version()})


def _health() -> Iterator[Family]:
    family = GaugeMetricFamily("vedetta_health", "0 up, 1 degraded, 2 down.", labels=("part",))
    for check in check_health().checks:
        family.add_metric((check.name,), int(check.state))
    yield family


def _connections() -> Iterator[Family]:
    rows: Any = MqttConnection.objects.with_effective_status().order_by("pk")
    found = list(rows.values_list("pk", "name", "effective_status", "retry_count"))
    status = GaugeMetricFamily(
        "vedetta_connection_status", "1 for the status that a connection has now.", labels=(*WHICH, "status")
    )
    retries = _gauge("retries", "Tries in vain since the last link.")
    for pk, name, now, count in found:
        for word in ConnectionStatus.values:
            status.add_metric((str(pk), name, word), float(now == word))
        retries.add_metric((str(pk), name), count)
    names = {pk: (str(pk), name) for pk, name, _, _ in found}
    yield from (status, retries, _connects(names))
    yield from _activity(names)


def _gauge(name: str, text: str) -> Family:
    return GaugeMetricFamily(f"vedetta_connection_{name}", text, labels=WHICH)


def _counter(name: str, text: str) -> Family:
    return CounterMetricFamily(f"vedetta_connection_{name}", text, labels=WHICH)


def _connects(names: Names) -> Family:
    family = _counter("connects", "Links that came up; all but the first are reconnects.")
    changes = StatusChange.objects.filter(kind=NodeKind.CONNECTION, to_status=ConnectionStatus.CONNECTED).order_by()
    counts = dict(changes.values_list("object_id").annotate(n=Count("pk")))
    for pk, which in names.items():
        family.add_metric(which, counts.get(pk, 0))
    return family


def _activity(names: Names) -> Iterator[Family]:
    rows = list(ConnectionActivity.objects.filter(pk__in=names))
    for column, text in TOTALS.items():
        counter = _counter(column, text)
        for row in rows:
            counter.add_metric(names[row.pk], getattr(row, f"{column}_total"))
        yield counter
    for column, text in SECONDLY.items():
        gauge = _gauge(column, text)
        for row in rows:
            gauge.add_metric(names[row.pk], getattr(row, column))
        yield gauge
    heard = _gauge("last_message_timestamp_seconds", "When the last message came.")
    for row in rows:
        if row.last_message_at:
            heard.add_metric(names[row.pk], row.last_message_at.timestamp())
    yield heard


def _processes() -> Iterator[Family]:
    """What the mqtt processes say of themselves through Valkey, also while the database is away."""
    processes = pressure.read_all() or []
    gauges = {
        "waiting_messages": ("Messages that are received and not stored yet.", "waiting"),
        "waiting_bytes": ("Their size.", "waiting_bytes"),
        "behind_seconds": ("How long the oldest of them has waited.", "behind_seconds"),
        "database_away_seconds": ("For how long the database has not answered.", "database_away_seconds"),
        "clock_behind_seconds": ("How far its computer's clock looks behind; 0: right.", "clock_behind_seconds"),
        "start_timestamp_seconds": ("When it started.", "started_at"),
    }
    for name, (text, attribute) in gauges.items():
        family = GaugeMetricFamily(f"vedetta_mqtt_process_{name}", text, labels=("process",))
        for one in processes:
            family.add_metric((one.name,), getattr(one, attribute))
        yield family
    yield from _flows([flow for one in processes for flow in one.connections])


def _flows(flows: list[pressure.ConnectionPressure]) -> Iterator[Family]:
    try:
        names = dict(MqttConnection.objects.values_list("pk", "name"))
    except DatabaseError:
        names = {}
    lag = _gauge("lag_seconds", "From receipt to commit of the newest stored message.")
    waiting = _gauge("waiting_messages", "Received and not stored yet.")
    redelivered = _counter("redelivered", "Messages that the broker marked as sent before.")
    for flow in flows:
        which = (str(flow.connection_id), names.get(flow.connection_id, ""))
        lag.add_metric(which, flow.lag_seconds)
        waiting.add_metric(which, flow.waiting)
        redelivered.add_metric(which, flow.redelivered)
    yield from (lag, waiting, redelivered)
    yield from _brokers(flows, names)


BROKER_COUNTS = {
    "received": "Messages that the broker received, from all its clients.",
    "sent": "Messages that it sent.",
    "dropped": "Messages that it dropped because a client's queue was full.",
}
BROKER_GAUGES = {"clients": "Clients of the broker.", "stored": "Messages that it holds."}


def _brokers(flows: list[pressure.ConnectionPressure], names: dict[int, str]) -> Iterator[Family]:
    """What the brokers say of themselves, of those that do."""
    counts = [(name, CounterMetricFamily, text) for name, text in BROKER_COUNTS.items()]
    gauges = [(name, GaugeMetricFamily, text) for name, text in BROKER_GAUGES.items()]
    for name, kind, text in counts + gauges:
        unit = "clients" if name == "clients" else f"messages_{name}"
        family = kind(f"vedetta_broker_{unit}", text, labels=WHICH)
        for flow in flows:
            value = getattr(flow.broker, name, None)
            if value is not None:
                family.add_metric((str(flow.connection_id), names.get(flow.connection_id, "")), value)
        yield family


def _jobs() -> Iterator[Family]:
    finished = GaugeMetricFamily(
        "vedetta_job_last_success_timestamp_seconds", "When a periodic job last ended well.", labels=("job",)
    )
    failed = GaugeMetricFamily("vedetta_job_failed", "1 when its last run failed.", labels=("job",))
    for job in PeriodicJob.objects.order_by("name"):
        failed.add_metric((job.name,), float(bool(job.error)))
        if job.finished_at:
            finished.add_metric((job.name,), job.finished_at.timestamp())
    yield from (finished, failed)


def _disk() -> Iterator[Family]:
    found = disk.measure()
    if found is None:
        return
    yield GaugeMetricFamily("vedetta_disk_total_bytes", "Size of the console's disk.", found.total)
    yield GaugeMetricFamily("vedetta_disk_free_bytes", "Free on it.", found.free)
    days = disk.full_in_days(timezone.now(), found)
    if days not in {None, disk.NEVER}:
        yield GaugeMetricFamily("vedetta_disk_full_in_seconds", "When it is full at last week's rate.", days * 86400)


def _backups() -> Iterator[Family]:
    newest = next(iter(made(settings.BACKUP_FOLDER)), None) if settings.BACKUP_FOLDER else None
    if newest:
        yield GaugeMetricFamily(
            "vedetta_backup_last_timestamp_seconds", "When the newest backup was made.", newest.at.timestamp()
        )
