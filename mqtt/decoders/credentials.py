"""What must never become a reading, a fact or a name: passwords, tokens and keys that stand in messages.

Told by the key, wherever it stands, and by the form of a text. `registry.decode` drops them from whatever a family
made; a station that has nothing but its secret to be known by is known by `alias`.
"""

import re
from functools import lru_cache
from hashlib import sha256
from typing import Any

from mqtt.messages import Decoded, DecodedReading


def _listed(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_WORDS = frozenset(
    _listed(
        """pass pwd pswd passwd password passphrase passcode passkey psk secret token jwt bearer authorization
        credentials cookie apikey authkey privatekey sharedkey networkkey linkkey masterkey encryptionkey sessionkey
        securitykey installcode pincode usercode doorcode appkey nwkkey appskey nwkskey genappkey fnwksintkey
        snwksintkey nwksenckey wifipass mqttpass userpass appass apppass stapass webpass wifipwd mqttpwd
        connectionstring sharedaccesskey"""
    )
)
_ENDINGS = _listed(
    """password passwd passphrase passkey psk secret token apikey appkey nwkkey appskey nwkskey nwksenckey sintkey
    privatekey accesskey networkkey linkkey encryptionkey pincode usercode"""
)
_TEXTS = re.compile(
    r"""://[^/\s@]*:[^/\s@]+@  # a user and a password before a host
    | ^(?:Bearer|Basic)\s+[\w+/=.-]{12}
    | \beyJ[\w-]{8,}\.[\w-]{8,}\.  # a signed token
    | (?:^|[?&;,\s"'])(?:pass(?:word|wd|key)?|pwd|token|access_token|api_?key|secret|SharedAccessKey)\s*=\s*[^\s&;]
    | -----BEGIN\ [A-Z ]*PRIVATE\ KEY""",
    re.IGNORECASE | re.VERBOSE,
)
LONGEST = 60
_SCHEMES = ("bearer", "basic ")
SHORTEST = 8
"""No shorter text carries a credential together with what gives it away."""
MOST_NAMES = 50_000
_SAFE_NAMES: set[str] = set()
"""Names of readings that were judged: nearly all that ever come."""


@lru_cache(maxsize=20_000)
def is_secret(key: str) -> bool:
    """Whether a key says that a credential stands under it: `WifiPassword1`, `nwk_s_key`."""
    plain = "".join(character for character in key[-LONGEST:].lower() if character.isalpha())
    return plain in _WORDS or plain.endswith(_ENDINGS)


def _is_secret_name(name: str) -> bool:
    """Whether any part of a reading's path is such a key."""
    return any(is_secret(part) for part in name.split("."))


def is_credential(text: str) -> bool:
    """Whether a text is a credential or carries one, as an address with a password does."""
    if "=" in text or "@" in text or "eyJ" in text or "-----" in text or text[:6].lower() in _SCHEMES:
        return _TEXTS.search(text) is not None
    return False


def alias(secret: str) -> str:
    """What stands for a secret that is the only identity: always the same, and leads nobody back."""
    return sha256(b"vedetta identity " + secret.encode()).hexdigest()[:10]


def without(decoded: Decoded) -> Decoded:
    """The same without credentials; what a person mapped by hand is called as that person wants."""
    safe = _SAFE_NAMES
    for one in decoded.readings:
        text = one.text
        if one.name not in safe or (text is not None and len(text) > SHORTEST and is_credential(text)):
            decoded.readings = _cleaned(decoded)
            break
    for said in decoded.facts:
        for key, value in said.facts.items():
            if is_secret(key) or (type(value) is str and len(value) > SHORTEST and is_credential(value)):
                said.facts = _told(said.facts)
                break
    return decoded


def _told(facts: dict[str, Any]) -> dict[str, Any]:
    return {
        key: value
        for key, value in facts.items()
        if not (is_secret(key) or (isinstance(value, str) and is_credential(value)))
    }


def _cleaned(decoded: Decoded) -> list[DecodedReading]:
    is_mapped = decoded.decoder.startswith("mapping:")
    kept = []
    for one in decoded.readings:
        if one.text is not None and len(one.text) > SHORTEST and is_credential(one.text):
            continue
        if one.name not in _SAFE_NAMES:
            if _is_secret_name(one.name):
                if not is_mapped:
                    continue
            else:
                if len(_SAFE_NAMES) >= MOST_NAMES:
                    _SAFE_NAMES.clear()
                _SAFE_NAMES.add(one.name)
        kept.append(one)
    return kept
