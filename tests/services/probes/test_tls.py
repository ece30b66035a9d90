import contextlib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mqtt.exceptions import ReasonError
from mqtt.services.probes.network import dial, look_up
from mqtt.services.probes.tls import Handshake, TlsSettings, shake_hands, speaks_tls, unverified
from tests import servers
from tests.certificates import Authority, Issued
from tests.listeners import closing, listening, saying, silent

AUTHORITY = Authority()
OTHER = Authority("Another Authority")
CLIENTS = Authority("Client Authority")
pytestmark = pytest.mark.mosquitto


@dataclass
class Case:
    """A broker's certificate and the code that a test of it must end with."""

    certificate: Issued
    code: str
    trusts: str = AUTHORITY.certificate


CASES = {
    "expired": Case(AUTHORITY.issue("localhost", days=-2), "test_tls_expired"),
    "not yet": Case(AUTHORITY.issue("localhost", begins=2), "test_tls_not_yet"),
    "wrong name": Case(AUTHORITY.issue("broker.example.org"), "test_tls_wrong_name"),
    "self-signed": Case(AUTHORITY.issue("localhost", by_itself=True), "test_tls_self_signed"),
    "other issuer": Case(OTHER.issue("localhost"), "test_tls_other_issuer"),
    "unknown issuer": Case(AUTHORITY.issue("localhost"), "test_tls_unknown_issuer", trusts=""),
}


@contextlib.contextmanager
def broker(folder: Path, certificate: Issued, extra: str = "") -> Iterator[int]:
    cert, key = certificate.write(folder, "server")
    with servers.running(servers.mosquitto(folder, f"certfile {cert}\nkeyfile {key}\n{extra}")) as server:
        yield server.port


def shake(port: int, trusts: str = AUTHORITY.certificate, client: Issued | None = None, folder: Path | None = None,
          tls: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3, seconds: float = servers.PATIENCE) -> Handshake:  # fmt: skip
    context = ssl.create_default_context(cadata=trusts or None)
    context.maximum_version = tls
    if client and folder:
        context.load_cert_chain(*client.write(folder, "client"))
    addresses = look_up("localhost", port, servers.PATIENCE)
    wire = dial(addresses, servers.PATIENCE)[0]
    settings = TlsSettings("localhost", trusts, client.certificate if client else "")
    try:
        shaken = shake_hands(wire, lambda: dial(addresses, servers.PATIENCE)[0], context, settings, seconds)
        shaken.wire.close()
        return shaken
    finally:
        wire.close()


@pytest.mark.parametrize("name", CASES)
def test_a_certificate_that_cannot_be_believed_is_explained(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    with broker(tmp_path, case.certificate) as port, pytest.raises(ReasonError) as caught:
        shake(port, case.trusts)
    assert caught.value.code == case.code


def test_a_good_certificate_tells_its_facts(tmp_path: Path) -> None:
    with broker(tmp_path, AUTHORITY.issue("localhost", "127.0.0.1")) as port:
        shaken = shake(port)
    assert shaken.version == "TLSv1.3"
    assert shaken.certificate.names == "localhost, 127.0.0.1"
    assert shaken.certificate.issuer == "Test Authority"
    assert 363 <= shaken.certificate.days_left <= 365


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize(
    ("client", "code"),
    [
        (None, "test_tls_client_required"),
        (CLIENTS.issue(subject="old", days=-2), "test_tls_client_expired"),
        (OTHER.issue(subject="stranger"), "test_tls_client_refused"),
        (CLIENTS.issue(subject="console"), ""),
    ],
)
def test_a_client_certificate_that_is_missing_or_refused_is_explained(
    client: Issued | None, code: str, version: ssl.TLSVersion, tmp_path: Path
) -> None:
    (tmp_path / "clients.crt").write_text(CLIENTS.certificate)
    extra = f"cafile {tmp_path / 'clients.crt'}\nrequire_certificate true"
    with broker(tmp_path, AUTHORITY.issue("localhost"), extra) as port:
        if code:
            with pytest.raises(ReasonError) as caught:
                shake(port, client=client, folder=tmp_path, tls=version)
            assert caught.value.code == code
        else:
            assert shake(port, client=client, folder=tmp_path, tls=version).certificate.subject == "broker"


@pytest.mark.parametrize(
    ("behave", "code"),
    [
        (silent, "test_tls_timeout"),
        (closing, "tls_closed"),
        (saying(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "tls_not_spoken"),
        (saying(b"SSH-2.0-OpenSSH_9.2\r\n"), "tls_not_spoken"),
    ],
)
def test_a_port_without_tls_is_explained(behave: object, code: str) -> None:
    with listening(behave) as port, pytest.raises(ReasonError) as caught:  # type: ignore[arg-type]
        shake(port, seconds=1 if behave is silent else servers.PATIENCE)
    assert caught.value.code == code


def test_a_plain_mqtt_port_is_told_from_a_tls_port(tmp_path: Path, mosquitto: servers.Server) -> None:
    with broker(tmp_path, AUTHORITY.issue("localhost")) as port:
        assert speaks_tls(
            dial(look_up("localhost", port, servers.PATIENCE), servers.PATIENCE)[0], "localhost", servers.PATIENCE
        )
    assert not speaks_tls(
        dial(look_up("localhost", mosquitto.port, servers.PATIENCE), servers.PATIENCE)[0], "localhost", servers.PATIENCE
    )
    with pytest.raises(ReasonError) as caught:
        shake(mosquitto.port)
    assert caught.value.code == "tls_closed"


def test_a_certificate_without_a_check_is_still_read(tmp_path: Path) -> None:
    with broker(tmp_path, CASES["expired"].certificate) as port:
        addresses = look_up("localhost", port, servers.PATIENCE)
        with dial(addresses, servers.PATIENCE)[0] as wire:
            shaken = shake_hands(wire, lambda: wire, unverified(), TlsSettings("localhost"), servers.PATIENCE)
            shaken.wire.close()
    assert shaken.certificate.days_left < 0
