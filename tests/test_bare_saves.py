"""A connection is saved with its fields named: anything else writes back a status that is old by now."""

import ast
from pathlib import Path

import pytest

from mqtt.models import MqttConnection

ROOT = Path(__file__).resolve().parent.parent


def is_bare(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "save"
        and not (isinstance(node.func.value, ast.Call) and getattr(node.func.value.func, "id", "") == "super")
        and not {"update_fields", "force_insert"} & {keyword.arg for keyword in node.keywords}
    )


def test_every_save_in_the_code_names_its_fields() -> None:
    assert not [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sorted((ROOT / "mqtt").rglob("*.py"))
        if "migrations" not in path.parts
        for node in ast.walk(ast.parse(path.read_text()))
        if is_bare(node)
    ]


@pytest.mark.django_db
def test_a_bare_save_of_a_connection_fails_in_every_test() -> None:
    connection = MqttConnection(name="plant", host="h")
    connection.save(force_insert=True)
    with pytest.raises(AssertionError, match="update_fields"):
        connection.save()
