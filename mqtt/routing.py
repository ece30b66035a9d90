"""Where WebSockets answer."""

from typing import Any

websocket_urlpatterns: list[Any] = []
