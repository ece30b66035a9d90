"""docker-compose.yml and the Dockerfile against the code: no Docker engine is needed to find them wrong."""

import json
import re
import shlex
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
import yaml
from django.core.management import get_commands
from django.urls import resolve

from mqtt.supervisor import programs
from tests.console import ROOT
from tests.test_settings import setting_names

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
DOCKERFILE = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text())


def instructions(word: str) -> list[str]:
    """The rest of every line of the Dockerfile that begins with the instruction."""
    return re.findall(rf"^{word} (.*)$", DOCKERFILE, re.MULTILINE)


def known_variables() -> set[str]:
    return {variant for name in setting_names() for variant in (name, f"{name}_FILE")}


def is_known_command(command: list[str]) -> bool:
    """Whether a command line starts something that exists."""
    match command:
        case ["python", "manage.py", name, *_]:
            return name in get_commands()
        case ["python", "-m", "app.web", *_]:
            return command == ["python", *programs.web("0.0.0.0", 8000).command[1:]]
    return False


def health_checks() -> Iterator[tuple[str, str]]:
    for name, service in SERVICES.items():
        if test := service.get("healthcheck", {}).get("test"):
            yield name, " ".join(test)
    healthcheck = re.search(r"^HEALTHCHECK .*?CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    assert healthcheck
    yield "Dockerfile", " ".join(json.loads(healthcheck[1]))


def test_all_parts_are_there() -> None:
    assert set(SERVICES) == {"prepare", "proxy", "web", "mqtt", "postgres", "valkey", "mosquitto"}
    assert set(OURS) == {"prepare", "web", "mqtt"}
    assert SERVICES["postgres"]["image"] == "postgres:18"


@pytest.mark.parametrize("name", OURS)
def test_our_services_run_commands_that_exist(name: str) -> None:
    assert is_known_command(OURS[name]["command"])


def test_the_image_runs_a_command_that_exists_as_an_own_user() -> None:
    assert is_known_command(json.loads(instructions("CMD")[-1]))
    assert instructions("USER") == ["vedetta"]


@pytest.mark.parametrize("name", OURS)
def test_our_services_set_variables_that_exist(name: str) -> None:
    assert set(OURS[name]["environment"]) <= known_variables()


def test_the_image_sets_variables_that_exist() -> None:
    given = {word.split("=")[0] for line in instructions("ENV") for word in shlex.split(line)}
    assert {name for name in given if not name.startswith(("PYTHON", "PIP_"))} <= known_variables()


def test_what_the_image_copies_exists_and_is_not_ignored() -> None:
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for line in instructions("COPY"):
        for source in shlex.split(line)[:-1]:
            assert (ROOT / source).exists(), source
            assert source in kept, source


@pytest.mark.parametrize("kind", ["volumes", "secrets"])
def test_what_services_mount_is_declared_and_what_is_declared_is_mounted(kind: str) -> None:
    used = {entry.split(":")[0] for service in SERVICES.values() for entry in service.get(kind, [])}
    files = {entry for entry in used if entry.startswith("./")}
    assert used - files == set(COMPOSE[kind])
    assert all((ROOT / entry).exists() for entry in files)


def test_a_secret_that_a_variable_names_is_given_to_the_service_and_made_by_the_script() -> None:
    script = (ROOT / "deploy" / "make-secrets").read_text()
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if name.endswith("_FILE"):
                secret = value.removeprefix("/run/secrets/")
                assert secret in service["secrets"], name
                assert f"keep {secret} " in script
                assert COMPOSE["secrets"][secret] == {"file": f"./secrets/{secret}"}


def test_who_waits_for_a_service_waits_for_what_it_tells() -> None:
    for name, service in SERVICES.items():
        for other, condition in service.get("depends_on", {}).items():
            if condition["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[other], f"{name} waits for {other}"
            else:
                assert SERVICES[other]["restart"] == "no"


@pytest.mark.parametrize(("name", "test"), list(health_checks()))
def test_health_checks_ask_something_that_exists(name: str, test: str) -> None:
    for path in re.findall(r"http://127\.0\.0\.1:8000(/[^']*)", test):
        assert resolve(path)
    for command in re.findall(r"manage\.py (\w+)", test):
        assert command in get_commands()
    assert re.search(r"/healthz|check_health|pg_isready|valkey-cli ping|mosquitto_sub", test), name


def test_every_service_that_stays_has_a_health_check() -> None:
    assert {name for name, service in SERVICES.items() if "healthcheck" not in service} == {"prepare"}


def test_no_services_log_fills_the_disk() -> None:
    for service in SERVICES.values():
        assert service["logging"] == {"driver": "local", "options": {"max-size": "5m", "max-file": "5"}}


def test_addresses_inside_name_services_that_exist() -> None:
    assert OURS["web"]["environment"]["REDIS_URL"].startswith("redis://valkey:")
    assert "@postgres:5432/vedetta" in (ROOT / "deploy" / "make-secrets").read_text()
    assert SERVICES["postgres"]["environment"]["POSTGRES_DB"] == "vedetta"


def test_the_proxy_asks_the_web_service_which_believes_it_alone() -> None:
    caddyfile = (ROOT / "deploy" / "Caddyfile").read_text()
    assert "reverse_proxy {$WEB:web:8000}" in caddyfile
    assert SERVICES["proxy"]["networks"]["front"]["ipv4_address"] == OURS["web"]["environment"]["TRUSTED_PROXIES"]
    assert "front" in SERVICES["web"]["networks"]
    (addresses,) = COMPOSE["networks"]["front"]["ipam"]["config"]
    given_out, proxy = ip_network(addresses["ip_range"]), SERVICES["proxy"]["networks"]["front"]["ipv4_address"]
    assert given_out.subnet_of(ip_network(addresses["subnet"]))
    assert ip_address(proxy) not in given_out  # else the one that starts first would get it
    assert "default_sni {$SITE_ADDRESS:localhost}" in caddyfile, "browsers name no site when they ask for an address"
    assert "ports" not in SERVICES["web"], "nobody goes past the proxy"
    for name in re.findall(r"\{\$([A-Z_]+)", caddyfile):
        assert name in {*SERVICES["proxy"]["environment"], "WEB", "HEALTH_PORT"}, name
