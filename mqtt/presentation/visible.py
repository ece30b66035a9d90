"""Signs that hide or turn round what stands beside them, as a device may have in its name, shown as what they are."""

import re

_HIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Controls but tab and line ends, and those that set the direction of more than themselves."""


def visible(html: str) -> str:
    """The same with a replacement character for each; our own pages hold none of them."""
    return _HIDDEN.sub("\ufffd", html)
