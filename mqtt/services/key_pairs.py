"""Whether a client certificate and its key belong together, for forms and API alike."""

from django.utils.translation import gettext as _

from mqtt.encryption import SecretUnreadableError, decrypt


def pair_errors(certificate: str, *, stored_token: str, new_key: str | None) -> dict[str, str]:
    """{field: sentence} of what is wrong; `new_key` None means that the stored one stays.

    Both are valid PEM here: their own validators have run.
    """
    try:
        key = decrypt(stored_token) if new_key is None else new_key
    except SecretUnreadableError:
        return {}  # encrypted under a lost key: the session says so, and a new one can be given
    if certificate and not key:
        return {"client_key": _("A client certificate needs its key.")}
    if key and not certificate:
        return {"client_certificate": _("A client key needs its certificate.")}
    if key and not _belongs(certificate, key):
        return {"client_key": _("This key does not belong to the client certificate.")}
    return {}


def _belongs(certificate: str, key: str) -> bool:
    from cryptography import x509  # 9 MB that nothing else in a web process needs
    from cryptography.exceptions import UnsupportedAlgorithm  # as above
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key  # as above

    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    try:
        # The first is the client's own, the rest is its chain.
        public = x509.load_pem_x509_certificates(certificate.encode())[0].public_key()
        private = load_pem_private_key(key.encode(), password=None)
        return public.public_bytes(*form) == private.public_key().public_bytes(*form)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False
