"""Each reason has one sentence, somebody who gives it, and the facts that its sentence names."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from django.utils import translation

from mqtt.reasons import AREAS, REASONS, explain
from mqtt.services.sessions import link_reasons
from mqtt.services.sessions.link_reasons import Reason
from tests.services.sessions import make_settings

MQTT = Path(__file__).resolve().parent.parent / "mqtt"
PLACEHOLDER = re.compile(r"%\((\w+)\)s")
CARRIERS = {"Reason", "ReasonError", "ServiceError", "UndecodableError", "Found", "Work", "plain"}
"""What carries a code together with its facts."""


class Use(NamedTuple):
    """A place in the code that gives a reason, and the names of the facts that it can give."""

    code: str
    facts: frozenset[str]
    where: str


def sources() -> Iterator[Path]:
    yield from (path for path in MQTT.rglob("*.py") if "reasons" not in path.parts and "migrations" not in path.parts)


def keys_of(node: ast.AST) -> set[str]:
    """The keys of all dicts that are written out below a node."""
    return {
        key.value
        for found in ast.walk(node)
        if isinstance(found, ast.Dict)
        for key in found.keys
        if isinstance(key, ast.Constant) and isinstance(key.value, str)
    }


def uses() -> Iterator[Use]:
    for path in sources():
        tree = ast.parse(path.read_text())
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        shared = set().union(*(keys_of(one) for one in functions if one.name == "_facts"))
        for function in functions:
            around = keys_of(function) | shared
            for call in ast.walk(function):
                if (
                    not isinstance(call, ast.Call)
                    or getattr(call.func, "id", getattr(call.func, "attr", "")) not in CARRIERS
                ):
                    continue
                given = around | {keyword.arg for keyword in call.keywords if keyword.arg}
                for argument in call.args:
                    for word in ast.walk(argument):
                        if isinstance(word, ast.Constant) and word.value in REASONS:
                            yield Use(str(word.value), frozenset(given), f"{path.relative_to(MQTT)}:{call.lineno}")


def test_no_two_areas_have_the_same_code() -> None:
    assert sum(len(area.REASONS) for area in AREAS) == len(REASONS)


def test_every_reason_is_given_by_somebody() -> None:
    words = {
        node.value
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    words |= {
        f"{kind}_offline" for kind in ("gateway", "datalogger")
    }  # put together in services/pipeline/availability.py
    assert set(REASONS) - words == set()


def test_every_sentence_gets_the_facts_that_it_names() -> None:
    found = list(uses())
    assert len({use.code for use in found}) > len(REASONS) / 2, "the walk through the code finds the reasons"
    link = set(link_reasons.plain("refused", make_settings()).context)
    poor = [
        f"{use.where}: {use.code} misses {', '.join(sorted(missing))}"
        for use in found
        if (missing := set(PLACEHOLDER.findall(str(REASONS[use.code]))) - use.facts)
        and not (missing <= link and ".plain(" in (MQTT / use.where.partition(":")[0]).read_text())
    ]
    assert not poor


@pytest.mark.parametrize("value", [*link_reasons.REFUSALS, *link_reasons.ENDINGS, 128])
def test_a_refusal_or_an_end_is_a_whole_sentence(value: int) -> None:
    for settings in (make_settings(), make_settings(username="plant")):
        for reason in (
            link_reasons.of_refusal(value, "what the broker calls it", settings),
            link_reasons.of_ending(value, "what the broker calls it", settings),
        ):
            assert "%(" not in explain(reason.code, reason.context)


@pytest.mark.parametrize("value", [0, *link_reasons.FILTER_REFUSALS, 128])
def test_the_answer_to_a_filter_is_a_whole_sentence(value: int) -> None:
    reason = link_reasons.of_filter(1, value, "what the broker calls it")
    assert reason
    assert "%(" not in explain(reason.code, reason.context)


@pytest.mark.parametrize(
    "explained", [link_reasons.of_failure, lambda e: link_reasons.of_exception(e, make_settings())]
)
def test_what_failed_is_told_without_what_no_database_takes(explained: Callable[[Exception], Reason]) -> None:
    told = explained(ValueError("a\0b" * 200))
    assert "ab" in str(told.context["detail"])
    assert "\0" not in str(told.context)
    assert len(str(told.context["detail"])) <= 200


def test_an_unknown_code_is_shown_and_none_is_nothing() -> None:
    assert explain("of_a_newer_version", {"x": 1}) == "of_a_newer_version"
    assert explain("") == ""


def test_a_sentence_without_its_facts_is_still_shown() -> None:
    assert explain("not_enabled", {}) == "? is disabled. Enable it first."


def test_facts_called_on_are_dates_in_the_readers_form() -> None:
    assert "Nov. 3, 2026" in explain("test_tls_expired", {"expired_on": "2026-11-03"})
    assert "yesterday" in explain("test_tls_expired", {"expired_on": "yesterday"})


def test_a_sentence_ends_with_one_full_stop_whatever_the_detail_brings() -> None:
    sentence = explain("tls_not_trusted", {"address": "localhost:8883", "detail": "the end came early."})
    assert sentence.endswith("the end came early.")
    assert not sentence.endswith("..")


def test_how_many_is_written_as_the_language_writes_it() -> None:
    with translation.override("it"):
        assert "14.815 caratteri" in explain("long_text", {"size": 14815})
