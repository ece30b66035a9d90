import io
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from mqtt.encryption import encrypt
from mqtt.services.support import write_bundle
from tests import factories
from tests.console import ROOT

pytestmark = [pytest.mark.django_db, pytest.mark.database, pytest.mark.usefixtures("valkey")]


def content(path: Path) -> dict[str, str]:
    with tarfile.open(path) as tar:
        return {one.name: tar.extractfile(one).read().decode() for one in tar}  # type: ignore[union-attr]


def test_it_tells_what_helps_and_no_secret(tmp_path: Path) -> None:
    factories.make_connection(name="Plant", password_token=encrypt("tr0mbone"))
    path = tmp_path / "bundle.tar.gz"
    write_bundle(path, "line\nTOKEN=abc postgresql://bob:tr0mbone@host/x vdt_0123456789012345678901234567\n")
    found = content(path)
    assert "Plant" in found["configuration.yaml"]
    assert "Django" in found["versions.json"]
    assert "database" in found["health.json"]
    assert "0001_initial" in found["state.json"]
    assert "line" in found["log.txt"]
    for text in found.values():
        assert "tr0mbone" not in text
        assert "vdt_" not in text


def test_the_log_that_the_console_keeps_is_in_it(tmp_path: Path, settings: Any) -> None:
    settings.LOG_FILE = tmp_path / "vedetta.log"
    (tmp_path / "vedetta.log.1").write_text("before\n")
    (tmp_path / "vedetta.log").write_text("after password=ebony\n")
    write_bundle(tmp_path / "bundle.tar.gz")
    log = content(tmp_path / "bundle.tar.gz")["log.txt"]
    assert log.splitlines() == ["before", "after [left out]"]


def test_the_command_names_what_is_in_it(tmp_path: Path, monkeypatch: Any) -> None:
    output = io.StringIO()
    call_command("support_bundle", str(tmp_path / "b.tar.gz"), stdout=output)
    assert "health.json" in output.getvalue()
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("support_bundle", str(tmp_path / "missing" / "b.tar.gz"))


def test_a_name_that_says_another_format_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"Name it bundle\.tar\.gz"):
        call_command("support_bundle", tmp_path / "bundle.zip")
    assert not list(tmp_path.iterdir())


def test_the_service_unit_is_shown_without_root() -> None:
    done = subprocess.run(
        [ROOT / "scripts" / "install-service", "--print", "--data", "/srv/v"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert f'ExecStart="{ROOT}/scripts/run"' in done.stdout
    assert 'Environment="DATA_DIR=/srv/v"' in done.stdout


def test_the_service_unit_quotes_folders_with_blanks_and_refuses_what_systemd_would_read_otherwise() -> None:
    script = [ROOT / "scripts" / "install-service", "--print", "--data"]
    said = subprocess.run([*script, "/srv/my data"], capture_output=True, text=True, check=True).stdout
    assert 'Environment="DATA_DIR=/srv/my data"' in said
    for folder in ("/srv/100%", "/srv/$HOME", '/srv/"v"', "/srv/a\\b", "/srv/a\nExecStartPre=/bin/false"):
        done = subprocess.run([*script, folder], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (1, ""), folder
        assert "choose another" in done.stderr, folder


def test_the_service_script_says_what_it_makes_and_knows_no_other_words() -> None:
    script = ROOT / "scripts" / "install-service"
    said = subprocess.run([script, "--help"], capture_output=True, text=True, check=True).stdout
    for word in ("--print", "--user NAME", "--data FOLDER", "/etc/systemd/system/vedetta.service"):
        assert word in said
    assert subprocess.run([script, "--prnt"], capture_output=True, check=False).returncode == 2
