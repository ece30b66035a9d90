"""The web process: `python -m app.web [options] app.asgi:application` is Daphne without what no page needs.

TLS ends in a proxy before us and nobody speaks WAMP: with what only they use they take 12 MB. `python -m daphne` serves
the same pages, and is the way where Daphne itself shall speak TLS.
"""

import os
import sys
from types import ModuleType


def leave_out() -> None:
    """Before Twisted and Autobahn are imported: they find no OpenSSL, no WAMP, and no C code for a browser's frames."""
    sys.modules.setdefault("OpenSSL", None)  # type: ignore[arg-type]  # as if it were not installed
    os.environ.setdefault("AUTOBAHN_USE_NVX", "0")
    wamp = ModuleType("autobahn.twisted.wamp")
    wamp.ApplicationSession = object  # type: ignore[attr-defined]  # the one name that Autobahn takes from it
    sys.modules.setdefault(wamp.__name__, wamp)


def main() -> None:
    """Serve until a signal ends it."""
    leave_out()
    from daphne.cli import CommandLineInterface  # only now

    CommandLineInterface.entrypoint()


if __name__ == "__main__":
    main()
