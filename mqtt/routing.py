"""Where WebSockets answer: /ws/<page>/ and /ws/<page>/<pk>/, with the query string of the page."""

from typing import Any

from django.urls import path

from mqtt.consumers import NOT_FOUND, MqttConsumer


async def nowhere(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Refuse a socket that no page has."""
    await receive()
    await send({"type": "websocket.close", "code": NOT_FOUND})


socket: Any = MqttConsumer.as_asgi()
no_socket: Any = nowhere
websocket_urlpatterns: list[Any] = [
    path("ws/<slug:page>/", socket),
    path("ws/<slug:page>/<int:pk>/", socket),
    path("<path:anything>", no_socket),
]
