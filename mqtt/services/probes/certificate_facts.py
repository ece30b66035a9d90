"""A certificate, as far as anybody here wants to know it."""

from dataclasses import dataclass
from datetime import UTC, datetime


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
