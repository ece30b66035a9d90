"""Loads Channels' layers over Redis without the library of an encryption that nobody asks of them: 9 MB.

While this is imported nobody else may need that library: processes with threads import it before they start any.
"""

import sys

FERNET = "cryptography.fernet"

if FERNET not in sys.modules:
    sys.modules[FERNET] = None  # type: ignore[assignment]  # as if it were not installed
    try:
        import channels_redis.serializers  # noqa: F401
    finally:
        del sys.modules[FERNET]
