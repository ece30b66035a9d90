import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

OWN = Path(__file__).parents[1] / "corpus" / "families.jsonl"


def printed(*arguments: Any, **options: Any) -> str:
    out = StringIO()
    call_command("decode_corpus", *arguments, stdout=out, **options)
    return out.getvalue()


def test_the_table_has_a_row_for_each_family_and_the_total() -> None:
    rows = [row.split()[0] for row in printed(OWN).splitlines() if row[:1].strip()]
    assert rows[0] == "family"
    assert rows[-1] == "total"
    assert "structural" in rows


def test_json_says_what_was_expected_and_what_came() -> None:
    whole = json.loads(printed(OWN, json=True, family="json"))
    assert list(whole["families"]) == ["json"]
    first = whole["lines"][0]
    assert (first["wrong"], first["decoder"]) == ([], "json")
    assert {"device", "gateway", "name", "value", "unit", "timestamp"} <= set(first["came"]["readings"][0])
    assert whole["total"]["readings"]["right"] == whole["total"]["readings"]["of"]


def test_a_file_that_is_no_corpus_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="nothing"):
        printed(tmp_path / "nothing.jsonl")
    (tmp_path / "bad.jsonl").write_text('{"topic": "t"}\n')
    with pytest.raises(CommandError, match="Line 1"):
        printed(tmp_path / "bad.jsonl")
