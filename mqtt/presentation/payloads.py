"""Payloads as a person reads them: indented JSON, text, or bytes. Hostile input stays bounded and visible."""

import codecs
import string

import orjson

HEX_LIMIT = 8192
"""Bytes shown as hex; four times as many characters go to the page."""
TEXT_LIMIT = 65_536

WHITE = {ord("\n"), ord("\t")}
PICTURES: dict[int, int | str] = {**{code: 0x2400 + code for code in range(32) if code not in WHITE}, 0x7F: 0x2421}
"""Control characters as visible signs, so that nothing hides and no terminal sequence survives a copy."""
BIDI: dict[int, int | str] = dict.fromkeys(
    [0x202A, 0x202B, 0x202C, 0x202D, 0x202E, 0x2066, 0x2067, 0x2068, 0x2069], "\N{REPLACEMENT CHARACTER}"
)
"""Characters that would turn the direction of what follows."""

PRINTABLE = set(string.printable.encode()) - set(string.whitespace.encode()) | {0x20}


def as_text(payload: bytes) -> str:
    """The payload as UTF-8; what is none becomes a replacement character."""
    return bytes(payload[:TEXT_LIMIT]).decode("utf-8", "replace").translate(PICTURES | BIDI)


def is_text(payload: bytes) -> bool:
    """Whether the payload is UTF-8, perhaps cut within a character."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(bytes(payload[:TEXT_LIMIT]), final=False)
    except UnicodeDecodeError:
        return False
    return True


def as_pretty(payload: bytes) -> str | None:
    """Indented JSON, or None when it is not JSON (or nested too deep to be read by anybody)."""
    if bytes(payload[:1]) not in {b"{", b"["}:
        return None
    try:
        return orjson.dumps(orjson.loads(bytes(payload)), option=orjson.OPT_INDENT_2).decode().translate(BIDI)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError, RecursionError):
        return None


def as_hex(payload: bytes) -> str:
    """Lines of 16 bytes: offset, hex, and what of it is ASCII."""
    data = bytes(payload[:HEX_LIMIT])
    lines = []
    for start in range(0, len(data), 16):
        part = data[start : start + 16]
        shown = "".join(chr(byte) if byte in PRINTABLE else "." for byte in part)
        lines.append(f"{start:06x}  {part.hex(' '):<47}  {shown}")
    return "\n".join(lines)


def marked_lines(text: str, before: str) -> list[tuple[str, bool]]:
    """The lines of a text, each with whether it stands nowhere in the text before: what changed, lit up."""
    if not before:
        return [(line, False) for line in text.split("\n")]
    known = set(before.split("\n"))
    return [(line, line not in known) for line in text.split("\n")]


def views_of(payload: bytes, wanted: str) -> tuple[str, str, list[str]]:
    """(view, text, possible views) for a page: pretty where it is JSON, bytes where it is no text, else as text."""
    pretty = as_pretty(payload)
    possible = (["pretty"] if pretty is not None else []) + (["raw", "hex"] if is_text(payload) else ["hex", "raw"])
    view = wanted if wanted in possible else possible[0]
    text = {"pretty": pretty or "", "hex": ""}.get(view)
    return view, as_hex(payload) if view == "hex" else as_text(payload) if text is None else text, possible
