"""Names of channel layer groups: ASCII, under 100 characters, built from primary keys and never from topics."""

STATUS_UPDATES = "mqtt_status_updates"
"""Every status change of every connection."""

COMMANDS = "mqtt_commands"
"""Wake-ups for the mqtt processes: a hint that the database holds work."""


def connection(pk: int) -> str:
    """Everything about one connection's devices, readings, topics and tests."""
    return f"mqtt_connection_{pk}"
