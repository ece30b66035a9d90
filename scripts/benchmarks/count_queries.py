"""How many queries each address asks, run inside a case's environment.

`python -m benchmarks.count_queries PATH ...` prints JSON: {path: queries}.
"""

import json
import sys

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402 - only after Django is set up
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402


def main() -> None:
    """Ask twice: the first time fills caches."""
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(User.objects.get(username="bench"))
    counts = {}
    for path in sys.argv[1:]:
        client.get(path)
        with CaptureQueriesContext(
            connection,
        ) as captured:
            status = client.get(path).status_code
        if status != 200:
            raise SystemExit(f"{path} answered {status}")
        counts[path] = len(captured)
    print(json.dumps(counts))


if __name__ == "__main__":
    main()
