import pytest
from hypothesis import given
from hypothesis import strategies as st

from mqtt.services.probes.certificates import in_few_words, read_der, read_pem
from tests.certificates import Authority

AUTHORITY = Authority()
DER = AUTHORITY.issue("localhost").der


def test_texts_of_a_certificate_are_short_and_printable() -> None:
    facts = read_der(AUTHORITY.issue("a", "b", "c", "d", "e", "f", subject="bro\nker\u202e <b>").der)
    assert facts.subject == "broker <b>"
    assert facts.names == "a, b, c, d, e …"


def test_a_certificate_without_hosts_is_called_by_its_subject() -> None:
    assert read_der(AUTHORITY.issue(subject="plc 7").der).names == "plc 7"


# What cryptography still reads and means to refuse one day.
@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@given(st.binary(max_size=300), st.integers(0, len(DER)))
def test_damaged_certificates_raise_nothing_but_value_errors(noise: bytes, at: int) -> None:
    for data in (noise, DER[:at] + noise + DER[at + len(noise) :]):
        try:
            read_der(data)
        except ValueError:
            continue


@given(st.text(max_size=200))
def test_a_text_that_is_no_certificate_has_no_facts(text: str) -> None:
    assert read_pem(text) is None
    assert read_pem(f"-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----") is None


def test_the_audit_has_a_certificate_in_few_words() -> None:
    one = AUTHORITY.issue("localhost", subject="plc 7")
    words = in_few_words(one.certificate)
    assert words.startswith("plc 7, SHA-256 ")
    assert len(words) < 50
    assert in_few_words("no certificate") == "set"
    assert in_few_words("") == ""
