"""Channels' layer of lists in Redis, for servers on which publishing is not allowed."""

from channels_redis.core import RedisChannelLayer


class QueueLayer(RedisChannelLayer):  # type: ignore[misc]  # it comes without types
    """Asks anew before the client takes the silence of an empty list for a dead server, which is after 5 seconds."""

    brpop_timeout = 3
