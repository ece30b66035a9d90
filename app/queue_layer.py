"""Channels' layer of lists in Redis, for servers on which publishing is not allowed."""

import app.plain_serializers  # noqa: F401 - first, so that the layer finds them loaded

from channels_redis.core import RedisChannelLayer  # isort: skip


class QueueLayer(RedisChannelLayer):  # type: ignore[misc]  # it comes without types
    """Asks anew before the client takes the silence of an empty list for a dead server, which is after 5 seconds."""

    brpop_timeout = 3
