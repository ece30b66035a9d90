"""The data of the console; see docs/architecture.md for why it is cut this way."""

from mqtt.models.audit import AuditEntry
from mqtt.models.clock import ClockMark
from mqtt.models.command import COMMAND_PATIENCE, OVERDUE, Command
from mqtt.models.connection import (
    LEASE_TIME,
    LONGEST_LEASE,
    ConnectionActivity,
    ConnectionLease,
    MqttConnection,
    TopicSubscription,
    new_client_id,
)
from mqtt.models.correction import SensorCorrection
from mqtt.models.device import (
    IS_NEW,
    MAX_KEY_BYTES,
    MOST_OF_CONNECTION,
    NEW_AN_HOUR,
    WITH_CORRECTIONS,
    Datalogger,
    DataloggerState,
    DeviceAlias,
    Gateway,
    GatewayState,
    SensorDevice,
    SensorState,
)
from mqtt.models.disk import DiskSample
from mqtt.models.mapping import Mapping
from mqtt.models.note import LONGEST_NOTE, Note
from mqtt.models.reading import Reading, from_us, to_us
from mqtt.models.rhythm import ConnectionRhythm, DataloggerRhythm, GatewayRhythm, SensorRhythm
from mqtt.models.rollup import Rollup, RollupDue
from mqtt.models.site import Site
from mqtt.models.status import StatusChange
from mqtt.models.task import ConnectionTest, DeviceTask, PeriodicJob
from mqtt.models.token import ApiToken
from mqtt.models.topic import DeviceAnnouncement, DiscoveredTopic, UndecodedMessage
from mqtt.models.worker import CommittedPackets, MqttWorker

__all__ = [
    "COMMAND_PATIENCE",
    "IS_NEW",
    "LEASE_TIME",
    "LONGEST_LEASE",
    "LONGEST_NOTE",
    "MAX_KEY_BYTES",
    "MOST_OF_CONNECTION",
    "NEW_AN_HOUR",
    "OVERDUE",
    "WITH_CORRECTIONS",
    "ApiToken",
    "AuditEntry",
    "ClockMark",
    "Command",
    "CommittedPackets",
    "ConnectionActivity",
    "ConnectionLease",
    "ConnectionRhythm",
    "ConnectionTest",
    "Datalogger",
    "DataloggerRhythm",
    "DataloggerState",
    "DeviceAlias",
    "DeviceAnnouncement",
    "DeviceTask",
    "DiscoveredTopic",
    "DiskSample",
    "Gateway",
    "GatewayRhythm",
    "GatewayState",
    "Mapping",
    "MqttConnection",
    "MqttWorker",
    "Note",
    "PeriodicJob",
    "Reading",
    "Rollup",
    "RollupDue",
    "SensorCorrection",
    "SensorDevice",
    "SensorRhythm",
    "SensorState",
    "Site",
    "StatusChange",
    "TopicSubscription",
    "UndecodedMessage",
    "from_us",
    "new_client_id",
    "to_us",
]
