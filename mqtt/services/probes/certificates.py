"""What a certificate says about itself, in words that fit into a sentence."""

from dataclasses import dataclass
from datetime import UTC, datetime

SHORT_FINGERPRINT = 23
"""Eight bytes with their colons: enough to tell two certificates apart."""


@dataclass(frozen=True)
class CertificateFacts:
    """Whom a certificate is for, who issued it, and when it is good."""

    subject: str
    issuer: str
    names: str
    """The hosts it is good for, with commas."""
    begins: datetime
    ends: datetime
    fingerprint: str
    """SHA-256 in hex with colons, to compare with what the broker's keeper says."""
    is_self_signed: bool

    @property
    def days_left(self) -> int:
        """Whole days until it expires; negative afterwards."""
        return (self.ends - datetime.now(UTC)).days


def read_der(data: bytes) -> CertificateFacts:
    """The facts of a certificate as the TLS layer hands it out. Raises ValueError when it cannot be read."""
    from mqtt.services.probes import certificate_reader  # loads 9 MB

    return certificate_reader.read(data, is_pem=False)


def read_pem(text: str) -> CertificateFacts | None:
    """The facts of the first certificate of a PEM text; None when there is none."""
    from mqtt.services.probes import certificate_reader  # as above

    try:
        return certificate_reader.read(text.encode(), is_pem=True)
    except ValueError:
        return None


def in_few_words(pem: str) -> str:
    """Which certificate a PEM text holds, for a line of the audit; "set" when it cannot be read."""
    if not pem:
        return ""
    facts = read_pem(pem)
    return f"{facts.subject}, SHA-256 {facts.fingerprint[:SHORT_FINGERPRINT]}…" if facts else "set"
