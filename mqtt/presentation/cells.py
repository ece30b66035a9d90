"""Cells of a file for spreadsheets that none of them carries out, and back to what they were."""

import re

_SIGNS = "=+\\-@＝＋－＠"
_FORMULA = re.compile(rf"(^|[;,|\t\r\n])('*)(?=[{_SIGNS}])|^('*)(?=[\t\r\n])")
_KEPT = re.compile(rf"(^|[;,|\t\r\n])('*)'(?=[{_SIGNS}])|^('*)'(?=[\t\r\n])")


def harmless(text: str) -> str:
    """An apostrophe before what would be carried out, also by who takes another separator than the file has."""
    return _FORMULA.sub(r"\1\2\3'", text)


def restored(cell: str) -> str:
    """What `harmless` was given."""
    return _KEPT.sub(r"\1\2\3", cell)
