"""The filters and operators of the safe part of Home Assistant's templates."""

from collections.abc import Callable
from typing import Any

MISSING: Any = object()
"""What a path finds where there is nothing; most operations leave it so, and then there is no value."""


def there(value: Any) -> Any:
    """The value, which must be there."""
    if value is MISSING:
        raise ValueError("nothing there")
    return value


def truth(value: Any) -> bool:
    """Whether a value that must be there is true."""
    return bool(there(value))


def number(value: Any) -> float:
    """The value, which must be a number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("no number")
    return value


def _float(value: Any, default: Any = MISSING) -> Any:
    try:
        return float(value) if value is not MISSING else default
    except (TypeError, ValueError):
        return default


def _int(value: Any, default: Any = MISSING, _base: Any = 10) -> Any:
    found = _float(value, MISSING)
    return default if found is MISSING or abs(found) > 1e15 else int(found)


def _round(value: Any, digits: Any = 0, method: Any = "common") -> Any:
    found = number(value)
    digits = max(-15, min(15, int(digits)))
    if method in {"floor", "ceil"}:
        shifted = found * 10**digits
        return (shifted // 1 if method == "floor" else -(-shifted // 1)) / 10**digits
    return round(float(found), digits)


def _default(value: Any, other: Any = "", is_for_empty: Any = False) -> Any:
    return other if value is MISSING or (is_for_empty and not value) else value


def _text(value: Any) -> str:
    return str(there(value)).lower() if isinstance(value, bool) else str(there(value))


FILTERS: dict[str, Callable[..., Any]] = {
    "float": _float,
    "int": _int,
    "round": _round,
    "default": _default,
    "is_defined": lambda value: value,
    "abs": lambda value: abs(number(value)),
    "multiply": lambda value, by: number(value) * number(by),
    "add": lambda value, more: number(value) + number(more),
    "string": _text,
    "trim": lambda value: _text(value).strip(),
    "lower": lambda value: _text(value).lower(),
    "upper": lambda value: _text(value).upper(),
    "bool": lambda value, default=MISSING: _bool(value, default),
    "iif": lambda value, yes=True, no=False, *_: yes if truth(value) else no,
}


def _bool(value: Any, default: Any) -> Any:
    word = str(value).lower()
    if word in {"true", "yes", "on", "enable", "1"}:
        return True
    return False if word in {"false", "no", "off", "disable", "0"} else default


COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda a, b: bool(a == b),
    "!=": lambda a, b: bool(a != b),
    "<": lambda a, b: bool(a < b),
    ">": lambda a, b: bool(a > b),
    "<=": lambda a, b: bool(a <= b),
    ">=": lambda a, b: bool(a >= b),
}
ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
}
