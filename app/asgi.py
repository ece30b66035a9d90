"""The web process: pages over HTTP, live rows over WebSocket."""

import gc
import os
import sys

from channels.auth import AuthMiddlewareStack
from channels.layers import get_channel_layer
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "app.settings")
if "postgresql" not in str(settings.DATABASES["default"]["ENGINE"]):
    # Libraries take PostgreSQL's driver along wherever they find it: 10 MB of which SQLite has no use.
    sys.modules.setdefault("psycopg", None)  # type: ignore[arg-type]
http = get_asgi_application()

from app.bodies import bound_bodies  # noqa: E402 - as below
from app.clients import bound_clients  # noqa: E402 - as below
from app.outage import CloseWhileAway  # noqa: E402 - as below
from app.slow_readers import watch_readers  # noqa: E402 - as below
from mqtt.routing import websocket_urlpatterns  # noqa: E402 - models can be imported only after Django is set up

bound_bodies()
bound_clients()
watch_readers()

application = ProtocolTypeRouter(
    {
        "http": http,
        "websocket": AllowedHostsOriginValidator(CloseWhileAway(AuthMiddlewareStack(URLRouter(websocket_urlpatterns)))),
    }
)

# All pages and the API now, and not with somebody's first request. What is there for good is not looked through for
# cycles again: a list of a hundred rows waited up to 200 ms for that.
get_resolver().url_patterns  # noqa: B018 - loads them
get_channel_layer()
gc.collect()
gc.freeze()
