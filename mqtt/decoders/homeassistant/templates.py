"""A safe part of Home Assistant's value templates: one `{{ … }}` with paths, constants, filters and arithmetic.

Jinja itself never runs. What is beyond this part is not evaluated; where it names one path only, that path is known.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from mqtt.decoders.homeassistant.filters import ARITHMETIC, COMPARISONS, FILTERS, MISSING, number, there, truth

LONGEST = 500
DEEPEST = 12
Path = tuple[str, ...]
Step = Callable[[Any, Any], Any]
"""From (parsed JSON, the payload as text) to a value."""

_WHOLE = re.compile(r"\{\{-?(.*?)-?\}\}", re.DOTALL)
_WORDS = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<text>'[^'\\]*'|\"[^\"\\]*\")|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<sign>==|!=|<=|>=|[-+*/|().,\[\]<>=]))"
)
_PATHS = re.compile(r"value_json((?:\.[A-Za-z_]\w*|\[\d+\]|\['[^']*'\]|\[\"[^\"]*\"\])+)")
_PATH_PARTS = re.compile(r"\.(\w+)|\[(\d+)\]|\['([^']*)'\]|\[\"([^\"]*)\"\]")
_NO_CHANGE = frozenset(("is_defined", "float", "string"))
_HARMLESS = frozenset(("float", "int", "round", "is_defined", "default", "string", "trim", "abs", "bool"))
"""Filters after which the value still has the unit that the discovery message names."""
_CONSTANTS = {"true": True, "True": True, "false": False, "False": False, "none": None, "None": None}


class BeyondError(Exception):
    """The template needs more than this part of the language."""


class Template:
    """One template, read once."""

    def __init__(self, source: str) -> None:
        self._filters: set[str] = set()
        self._paths: set[Path] = set()
        self._has_arithmetic = False
        self.reason = ""
        """Why it is not evaluated; empty when it is."""
        self._words: list[str] = []
        self._at = 0
        self._step: Step | None = None
        try:
            self._step = self._read(source)
        except BeyondError as error:
            self.reason = str(error)
            self._paths = {_path(match.group(1)) for match in _PATHS.finditer(source[: 10 * LONGEST])}
        self.path: Path | None = next(iter(self._paths)) if len(self._paths) == 1 else None
        """The one path that it reads; empty for the whole payload, None when there are none or several."""
        is_simple = not self.reason and not self._has_arithmetic
        self.is_plain = is_simple and self.path is not None and self._filters <= _NO_CHANGE
        """It gives the value as it is."""
        self.keeps_unit = is_simple and self._filters <= _HARMLESS
        """The value under the path is of the unit that the discovery message names."""

    def value(self, document: Any, text: str) -> Any:
        """What it gives, or MISSING."""
        if self._step is None:
            return MISSING
        try:
            return self._step(document, text)
        except (ArithmeticError, TypeError, ValueError):
            return MISSING

    def _read(self, source: str) -> Step:
        match = _WHOLE.fullmatch(source.strip()) if len(source) <= LONGEST else None
        if match is None or "{" in match[1] or "}" in match[1]:
            raise BeyondError("not one simple expression")
        place, body = 0, match[1].rstrip()
        while place < len(body):
            found = _WORDS.match(body, place)
            if found is None:
                raise BeyondError("an unknown sign")
            self._words.append(found.group().strip())
            place = found.end()
        step = self._ternary(0)
        if self._at < len(self._words):
            raise BeyondError(f"`{self._words[self._at]}`")
        return step

    def _peek(self) -> str:
        return self._words[self._at] if self._at < len(self._words) else ""

    def _next(self) -> str:
        word = self._peek()
        self._at += 1
        return word

    def _take(self, *wanted: str) -> str:
        return self._next() if self._peek() in wanted else ""

    def _need(self, wanted: str) -> None:
        if not self._take(wanted):
            raise BeyondError(f"`{wanted}` is missing")

    def _ternary(self, depth: int) -> Step:
        if depth > DEEPEST:
            raise BeyondError("too deep")
        yes = self._comparison(depth)
        if not self._take("if"):
            return yes
        self._filters.add("if")
        condition = self._comparison(depth)
        self._need("else")
        no = self._ternary(depth + 1)
        return lambda document, text: (yes if truth(condition(document, text)) else no)(document, text)

    def _comparison(self, depth: int) -> Step:
        left = self._sum(depth)
        sign = self._take(*COMPARISONS)
        if not sign:
            return left
        self._filters.add("comparison")
        right = self._sum(depth)
        compare = COMPARISONS[sign]
        return lambda document, text: compare(there(left(document, text)), there(right(document, text)))

    def _sum(self, depth: int) -> Step:
        left = self._product(depth)
        while sign := self._take("+", "-"):
            left = self._two(sign, left, self._product(depth))
        return left

    def _product(self, depth: int) -> Step:
        left = self._filtered(depth)
        while sign := self._take("*", "/"):
            left = self._two(sign, left, self._filtered(depth))
        return left

    def _two(self, sign: str, left: Step, right: Step) -> Step:
        self._has_arithmetic = True
        combine = ARITHMETIC[sign]
        return lambda document, text: combine(number(left(document, text)), number(right(document, text)))

    def _filtered(self, depth: int) -> Step:
        if self._take("-"):
            return self._two("-", lambda _document, _text: 0, self._filtered_one(depth))
        return self._filtered_one(depth)

    def _filtered_one(self, depth: int) -> Step:
        step = self._primary(depth)
        while self._take("|"):
            step = self._filter(step)
        return step

    def _primary(self, depth: int) -> Step:
        word = self._next()
        if word == "(":
            inner = self._ternary(depth + 1)
            self._need(")")
            return inner
        if word == "value":
            self._paths.add(())
            return lambda _document, text: text
        if word == "value_json":
            path = self._accessors()
            self._paths.add(path)
            return lambda document, _text: find(document, path)
        if word in FILTERS and self._take("("):  # `float(value_json.x)` is older than the filter
            inner = self._ternary(depth + 1)
            return self._applied(word, inner, self._arguments())
        constant = _constant(word)
        return lambda _document, _text: constant

    def _accessors(self) -> Path:
        path = []
        while opening := self._take(".", "["):
            word = self._next()
            if opening == "[":
                path.append(str(_constant(word)))
                self._need("]")
            elif word.isidentifier() and self._peek() != "(":
                path.append(word)
            else:
                raise BeyondError("a method")
        return tuple(path)

    def _filter(self, step: Step) -> Step:
        name = self._next()
        if name not in FILTERS:
            raise BeyondError(f"the filter `{name[:40]}`")
        return self._applied(name, step, self._arguments() if self._take("(") else [])

    def _applied(self, name: str, step: Step, arguments: list[Any]) -> Step:
        self._filters.add(name)
        if name in {"multiply", "add"}:
            self._has_arithmetic = True
        apply = FILTERS[name]
        return lambda document, text: apply(step(document, text), *arguments)

    def _arguments(self) -> list[Any]:
        """Constants up to the closing bracket."""
        found: list[Any] = []
        while not self._take(")"):
            self._take(",")
            if self._at + 1 < len(self._words) and self._words[self._at + 1] == "=":
                self._at += 2  # `default=0`: the name says what the place says
            found.append(-number(_constant(self._next())) if self._take("-") else _constant(self._next()))
        return found[:3]


@lru_cache(maxsize=5000)
def template(source: str) -> Template:
    """A template by its source."""
    return Template(source)


def find(document: Any, path: Path) -> Any:
    """What is under a path, or MISSING."""
    for part in path:
        if isinstance(document, dict):
            document = document.get(part, MISSING)
        elif isinstance(document, list) and part.isdecimal() and len(part) < 6 and int(part) < len(document):
            document = document[int(part)]
        else:
            return MISSING
    return document


def _path(accessors: str) -> Path:
    return tuple(next(part for part in parts if part) for parts in _PATH_PARTS.findall(accessors) if any(parts))


def _constant(word: str) -> Any:
    if word[:1] in {"'", '"'}:
        return word[1:-1]
    if word[:1].isdigit():
        return float(word) if "." in word else int(word[:15])
    if word in _CONSTANTS:
        return _CONSTANTS[word]
    raise BeyondError(f"`{word[:40]}`")
