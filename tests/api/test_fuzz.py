"""Whatever comes in: an answer in JSON, and never a failure."""

from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.database]

FIELDS = [
    "name", "site", "host", "port", "transport", "protocol", "username", "password", "client_id", "keepalive",
    "ca_certificate", "client_certificate", "client_key", "is_enabled", "websocket_path", "alpn", "tls_verify",
    "subscriptions", "status", "id",
]  # fmt: skip
PARAMETERS = [
    "page", "page_size", "search", "ordering", "connection", "site", "gateway", "datalogger", "status",
    "kind", "object", "sensor",    "availability", "start", "end", "cursor", "bucket", "undecoded", "reason", "format",
]  # fmt: skip
LEAF = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(allow_nan=False), st.text(max_size=40),
    st.sampled_from(["", "#", "a/#", "\0", "'; --", "<script>", "9" * 40, "2026-01-01", "१२"]),
)  # fmt: skip
VALUE = st.recursive(
    LEAF,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from(["topic_filter", "qos", "decoder", "is_active", "x"]), inner, max_size=5),
    ),
    max_leaves=8,
)
LISTS = [
    "connections", "gateways", "dataloggers", "sensors", "topics", "undecoded", "notes", "corrections", "mappings",
]  # fmt: skip
BODY = st.one_of(VALUE, st.dictionaries(st.sampled_from(FIELDS), VALUE, max_size=8))
QUERY = st.dictionaries(st.sampled_from(PARAMETERS), st.one_of(st.text(max_size=40), LEAF.map(str)), max_size=4)
CHART = ["sensors", "from", "to", "last", "points", "rate"]
TIME = st.sampled_from(
    ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-05-01T12:00:00+02:00", "1969-12-31", "24h", "99999y", "100y"]
)

bounded = settings(
    max_examples=100, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def judge(answer: Any) -> None:
    assert answer.status_code < 500, answer.content
    assert answer["Content-Type"] == "application/json"


@bounded
@given(body=BODY)
def test_any_body_is_answered(api: APIClient, body: Any) -> None:
    with transaction.atomic():
        connection = factories.make_connection()
        judge(api.post("/api/v1/mqtt/connections/", body, format="json"))
        judge(api.patch(f"/api/v1/mqtt/connections/{connection.pk}/", body, format="json"))
        good = {"name": "plant", "host": "h", "subscriptions": [{"topic_filter": "#"}]}
        if isinstance(body, dict):
            judge(api.post("/api/v1/mqtt/connections/", good | body, format="json"))
        transaction.set_rollback(True)


@bounded
@given(
    query=QUERY,
    kind=st.sampled_from(
        ["connections", "gateways", "dataloggers", "sensors", "topics", "undecoded", "notes", "corrections", "mappings"]
    ),
)
def test_any_query_is_answered(looking: APIClient, query: dict[str, str], kind: str) -> None:
    judge(looking.get(f"/api/v1/mqtt/{kind}/", query))


@bounded
@given(query=QUERY, kind=st.sampled_from(["dataloggers", "sensors"]))
def test_any_question_for_history_is_answered(looking: APIClient, query: dict[str, str], kind: str) -> None:
    with transaction.atomic():
        sensor = factories.make_sensor()
        factories.make_reading(sensor)
        pk = sensor.pk if kind == "sensors" else sensor.datalogger_id
        judge(looking.get(f"/api/v1/mqtt/{kind}/{pk}/readings/", query))
        judge(looking.get(f"/api/v1/mqtt/{kind}/{pk}/readings/", {"bucket": "1h"} | query))
        transaction.set_rollback(True)


@bounded
@given(query=st.dictionaries(st.sampled_from(CHART), st.one_of(TIME, LEAF.map(str)), max_size=5))
def test_any_question_for_a_chart_is_answered(looking: APIClient, query: dict[str, str]) -> None:
    with transaction.atomic():
        sensor = factories.make_sensor()
        factories.make_reading(sensor)
        judge(looking.get("/api/v1/mqtt/charts/", {"sensors": sensor.pk} | query))
        transaction.set_rollback(True)
