"""What this web process counts of itself, for /metrics."""

from prometheus_client import CollectorRegistry, Gauge, Histogram, PlatformCollector, ProcessCollector

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)

REQUEST_SECONDS = Histogram(
    "vedetta_http_request_seconds",
    "How long pages and API calls took.",
    ("view", "method", "status"),
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=REGISTRY,
)
WEBSOCKET_CLIENTS = Gauge("vedetta_websocket_clients", "Open live pages of this web process.", registry=REGISTRY)
FLUSH_ROWS = Histogram(
    "vedetta_live_flush_rows",
    "Rows that one flush rendered for the open pages.",
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500),
    registry=REGISTRY,
)
FLUSH_SECONDS = Histogram(
    "vedetta_live_flush_seconds",
    "How long one flush took, with the database's answer.",
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
    registry=REGISTRY,
)
