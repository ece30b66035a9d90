"""Names of channel layer groups: ASCII, under 100 characters, built from primary keys and never from topics."""

from hashlib import sha256

STATUS_UPDATES = "mqtt_status_updates"
"""Every status change of every connection."""

COMMANDS = "mqtt_commands"
"""Wake-ups for the mqtt processes: a hint that the database holds work."""


def tail(pk: int, topic_filter: str) -> str:
    """What is heard live on one filter of a connection; the filter itself may hold any character."""
    return f"mqtt_tail_{pk}_{sha256(topic_filter.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


def connection(pk: int) -> str:
    """Everything about one connection's devices, readings, topics and tests."""
    return f"mqtt_connection_{pk}"
