"""The schema is a promise: whatever is sent by it, or against it, is answered as it says."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, given, settings
from rest_framework.test import APIClient
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

EXAMPLES = {GenerationMode.POSITIVE: 6, GenerationMode.NEGATIVE: 3}
"""By the schema and against it, for each operation; `tests/api/test_fuzz.py` tries more where more can go wrong."""


WITHOUT_INPUT = "/api/v1/mqtt/health/"
"""Nothing can be sent against the schema of what takes nothing."""

BEYOND_A_SCHEMA = [positive_data_acceptance]
"""No schema can say that a name must be unique, a key must exist, or two filters must not overlap."""


@pytest.fixture
def promised() -> Any:
    generated = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    schema = schemathesis.openapi.from_dict(generated)
    schema.app = get_wsgi_application()
    return schema


@pytest.fixture
def token(api: APIClient, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An administrator's, over some things that exist.

    The server would close the database's connection after each request; here it holds the test's transaction.
    """
    settings.API_RATE = 1_000_000
    monkeypatch.setattr("mqtt.api.views.connections.TEST_PATIENCE", 0)
    sensor = factories.make_sensor(factories.make_datalogger(gateway=factories.make_gateway()))
    factories.make_reading(sensor)
    factories.make_topic(), factories.make_undecoded(), factories.make_command(), factories.make_site()
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield str(api._credentials["HTTP_AUTHORIZATION"])
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.parametrize("mode", EXAMPLES)
def test_every_operation_keeps_its_promise(
    mode: GenerationMode, promised: Any, token: str, subtests: pytest.Subtests
) -> None:
    """By the schema, and against it. One test: schemathesis's own tests all have one name, and xdist runs the first."""
    operations = [found.ok() for found in promised.get_all_operations()]
    assert len(operations) > 50
    for operation in operations:
        if mode is GenerationMode.NEGATIVE and operation.path == WITHOUT_INPUT:
            continue

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(max_examples=EXAMPLES[mode], deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
        def keeps_it(case: Any) -> None:
            with transaction.atomic():
                case.call_and_validate(headers={"Authorization": token}, excluded_checks=BEYOND_A_SCHEMA)
                transaction.set_rollback(True)

        with subtests.test(operation.label):
            keeps_it()
