"""Channels' layer that publishes over Redis."""

import app.plain_serializers  # noqa: F401 - first, so that the layer finds them loaded

from channels_redis.pubsub import RedisPubSubChannelLayer  # isort: skip


class PubSubLayer(RedisPubSubChannelLayer):  # type: ignore[misc]  # it comes without types
    """As it is."""
