from typing import Any

import pytest

from mqtt.decoders import registry


@pytest.fixture(autouse=True)
def _no_decoder_fails(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A decoder that raises is replaced by the general one, which must not hide its failure from tests."""

    def fail(decoder: str, topic: str, error: Exception) -> Any:
        raise AssertionError(f"{decoder} failed on {topic!r}") from error

    if "monkeypatch" not in request.fixturenames or "caplog" not in request.fixturenames:
        monkeypatch.setattr(registry, "_report", fail)
