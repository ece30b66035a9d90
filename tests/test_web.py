"""The web process is Daphne without the libraries that no page needs."""

import subprocess
import sys

from tests.console import ROOT

LOADED = """
import sys
from app import web
web.leave_out()
import daphne.cli
import app.asgi
print(*[name for name, module in sys.modules.items() if module is not None], sep="\\n")
"""
HEAVY = {"OpenSSL", "autobahn.wamp.auth", "cffi", "cryptography.hazmat", "cryptography.x509", "psycopg"}
"""Megabytes each, for TLS, WAMP, encryption and PostgreSQL, of which most web processes see nothing."""


def test_a_web_process_on_sqlite_starts_without_what_it_may_never_need() -> None:
    code = f"import os; os.environ.pop('DATABASE_URL', None)\n{LOADED}"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    loaded = set(done.stdout.split())
    assert {"autobahn.twisted.websocket", "channels_redis.serializers", "mqtt.views.errors"} <= loaded
    assert not HEAVY & loaded


def test_secrets_can_be_encrypted_although_the_channel_layers_know_nothing_of_it() -> None:
    code = (
        "import app.pubsub_layer, app.queue_layer; from cryptography.fernet import Fernet; print(Fernet.generate_key())"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout.startswith("b'")
