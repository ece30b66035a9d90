"""Certificates made for a test: an authority, and what it issues."""

import datetime as dt
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = dt.timedelta(days=1)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


class Issued:
    """A certificate and its key as PEM texts."""

    def __init__(self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        self.certificate = certificate.public_bytes(serialization.Encoding.PEM).decode()
        self.key = _pem(key)
        self.der = certificate.public_bytes(serialization.Encoding.DER)

    def write(self, folder: Path, name: str) -> tuple[Path, Path]:
        """The files of certificate and key."""
        folder.mkdir(parents=True, exist_ok=True)
        files = folder / f"{name}.crt", folder / f"{name}.key"
        files[0].write_text(self.certificate)
        files[1].write_text(self.key)
        return files


class Authority:
    """Issues certificates for names and addresses."""

    def __init__(self, name: str = "Test Authority") -> None:
        self.name = name
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._certificate = self._build(_name(name), self._key, days=3650, is_authority=True)
        self.certificate = self._certificate.public_bytes(serialization.Encoding.PEM).decode()

    def issue(
        self, *hosts: str, subject: str = "broker", days: int = 365, begins: int = -1, by_itself: bool = False
    ) -> Issued:
        """A certificate good from `begins` to `days` days from now; `by_itself`: self-signed."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._build(_name(subject), key, days, begins, hosts, signs=key if by_itself else None)
        return Issued(certificate, key)

    def _build(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        days: int,
        begins: int = -1,
        hosts: tuple[str, ...] = (),
        is_authority: bool = False,
        signs: ec.EllipticCurvePrivateKey | None = None,
    ) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        first = now + begins * DAY if days > begins else now + (days - 10) * DAY
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject if signs else _name(self.name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(first)
            .not_valid_after(now + days * DAY)
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        )
        if hosts:
            names = [_general(host) for host in hosts]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(signs or self._key, hashes.SHA256())


def _general(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
