"""What a certificate says about itself, in words that fit into a sentence."""

from mqtt.services.probes.certificate_facts import CertificateFacts

SHORT_FINGERPRINT = 23
"""Eight bytes with their colons: enough to tell two certificates apart."""


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
