"""The layers of docs/architecture.md, held against the imports that stand in the code."""

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

LEAVES = {
    "buckets",
    "corrections",
    "encryption",
    "enums",
    "events",
    "exceptions",
    "gaps",
    "groups",
    "messages",
    "meters",
    "presentation",
    "reasons",
    "rhythm",
    "topics",
    "validators",
}
INGEST = {
    "management.commands.run_mqtt",
    "services.mqtt_service",
    "services.holding",
    "services.sessions",
    "services.mqtt_connection",
    "services.pipeline",
    "services.jobs",
    "services.connection_tester",
    "services.probes.network",
    "services.probes.tls",
    "services.probes.websocket",
}
"""The rooms of the mqtt process; no page and nothing that pages use may look into them."""
TRANSFER = {"services.configuration", "services.support", "services.transfer"}
"""What only commands use; they may use everything below."""
WEB = {
    "views",
    "tables",
    "filters",
    "forms",
    "fragments",
    "pages",
    "alerts",
    "exports",
    "lists",
    "live",
    "badges",
    "charts",
    "templatetags",
    "topic_tree",
    "consumers",
    "watching",
    "routing",
    "api",
    "admin",
    "urls",
    "search",
}
ENTRANCES = {"management", "supervisor", "demo"}
"""What starts the others, or stands beside them: nothing below imports it."""
BETWEEN = {"models", "backends", "permissions", "decoders", "services", "signals", "apps"}
PAHO_ROOMS = {"services.mqtt_connection", "demo"}
"""The product speaks MQTT through one room; the demo devices play clients of their own."""


def modules() -> dict[str, Path]:
    """Every module of the app, by its name below `mqtt.`."""
    found = {}
    for path in sorted((ROOT / "mqtt").rglob("*.py")):
        parts = path.relative_to(ROOT / "mqtt").with_suffix("").parts
        if parts[0] != "migrations":
            found[".".join(part for part in parts if part != "__init__")] = path
    return found


def shared() -> set[str]:
    """Services for both entrances."""
    services = {name for name in modules() if name.startswith("services.")}
    return {name for name in services if not belongs(name, INGEST | TRANSFER)}


def imports(path: Path) -> Iterator[str]:
    """The dotted names that a file imports, each with the name taken from it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def inner(name: str) -> str:
    """`mqtt.models.site` -> `models.site`; empty for everything outside the app."""
    return name.removeprefix("mqtt.") if name.startswith("mqtt.") else ""


def belongs(name: str, rooms: set[str]) -> bool:
    return any(name == room or name.startswith(f"{room}.") for room in rooms)


def offences(rooms: set[str], forbidden: set[str]) -> list[str]:
    return [
        f"{module} imports {name}"
        for module, path in modules().items()
        if belongs(module, rooms)
        for name in imports(path)
        if belongs(inner(name), forbidden)
    ]


def test_the_layers_name_what_exists_and_leave_nothing_out() -> None:
    names = {name for name in modules() if name}
    layers = LEAVES | WEB | ENTRANCES | BETWEEN
    assert {name.split(".")[0] for name in names} == layers
    assert names >= INGEST | TRANSFER | PAHO_ROOMS


def test_leaves_import_only_leaves() -> None:
    everything = {name.split(".")[0] for name in modules() if name} - LEAVES
    assert not offences(LEAVES, everything)


def test_models_import_only_leaves_and_models() -> None:
    everything = {name.split(".")[0] for name in modules() if name} - LEAVES - {"models"}
    assert not offences({"models"}, everything)


def test_decoders_touch_neither_database_nor_web() -> None:
    assert not offences({"decoders"}, WEB | {"services", "models", "management"})


def test_web_never_imports_ingest() -> None:
    assert not offences(WEB, INGEST | TRANSFER)


def test_shared_services_never_import_ingest() -> None:
    assert not offences(shared(), INGEST | TRANSFER)


def test_ingest_and_services_never_import_web() -> None:
    assert not offences({"services", "signals", "management.commands.run_mqtt"}, WEB)


def test_nothing_imports_what_starts_it() -> None:
    """But for the overview, which reads the file in which the supervisor says how its children are."""
    found = offences(LEAVES | BETWEEN | WEB - {"pages"}, ENTRANCES) + offences({"pages"}, {"management", "demo"})
    found += [one for one in offences({"pages"}, {"supervisor"}) if "supervisor.state" not in one]
    assert not found


def test_paho_is_imported_in_one_place() -> None:
    users = {module for module, path in modules().items() for name in imports(path) if name.split(".")[0] == "paho"}
    assert {user for user in users if not belongs(user, PAHO_ROOMS)} == set()


def test_only_broadcast_sends_to_groups() -> None:
    callers = {module for module, path in modules().items() if re.search(r"\.group_send\(", path.read_text())}
    assert callers <= {"services.broadcast"}


def test_inline_imports_say_why() -> None:
    bare = []
    for path in [*modules().values(), *sorted((ROOT / "app").glob("*.py")), ROOT / "manage.py"]:
        lines = path.read_text().splitlines()
        functions = [
            node
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        ]
        bare += [
            f"{path.name}:{child.lineno}"
            for function in functions
            for child in ast.walk(function)
            if isinstance(child, ast.Import | ast.ImportFrom) and "#" not in lines[child.lineno - 1]
        ]
    assert not bare


def test_files_stay_small_enough_to_read() -> None:
    long = [
        f"{path.name}: {count}" for path in modules().values() if (count := len(path.read_text().splitlines())) > 400
    ]
    assert not long


def test_a_connection_is_made_and_changed_by_save_alone() -> None:
    """What sends no signal, or writes a whole row, leaves pages with a stale status; see also test_bare_saves."""
    bulk = re.compile(r"\bMqttConnection\.(all_)?objects\.(\w+_or_)?(bulk_)?(create|update)\(")
    found = [
        f"{module}:{number}"
        for module, path in modules().items()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if bulk.search(line)
    ]
    assert not found


def test_no_module_imports_itself_by_way_of_others() -> None:
    """Also not inside functions: what needs that stands in the wrong place."""
    names = modules()

    def target(name: str) -> str:
        found = inner(name)
        return found if found in names else found.rpartition(".")[0]

    graph = {
        module: {target(name) for name in imports(path) if target(name) in names} - {module}
        for module, path in names.items()
    }
    circles = TopologicalSorter({module: others for module, others in graph.items() if module})
    circles.prepare()
