import pytest
from hypothesis import given
from hypothesis import strategies as st

from mqtt.decoders.tables import reader
from mqtt.decoders.tables.decoder import is_imei
from mqtt.decoders.tables.moments import DAY_FIRST, MONTH_FIRST, order_of
from mqtt.exceptions import UndecodableError
from tests.decoders.helpers import decoded, values


@pytest.mark.parametrize("text", ["Hello, world, again", "ON,OFF,ON", "1,5", "a;b", "2026-03-01, 10:00", "x,y\nz,w"])
def test_a_sentence_is_no_table(text: str) -> None:
    assert decoded("a/b/note", text).decoder == "scalar"


def test_words_that_differ_in_each_row_are_names_and_no_states() -> None:
    text = "time,load,pump,who\n2026-03-01 10:00,1,on,a\n2026-03-01 11:00,2,on,b"
    assert set(values(decoded("t", text))) == {"load", "pump"}


@pytest.mark.parametrize(
    "rows",
    ["490154203237518,A,45.1,9.2,80", "490154203237518,010326,45.464203,9.18,80",
     "490154203237518,2026-03-01 10:00:00,454642030,91899820,0,3.9\n490154203237518,2026-03-01 10:01:00,0,0,0,3.9"],
)  # fmt: skip
def test_rows_of_a_tracker_say_who_and_not_where_and_wait_for_a_mapping(rows: str) -> None:
    result = decoded("van/raw", rows)
    assert (result.readings, [fact.device.identifier for fact in result.facts]) == ([], ["490154203237518"])
    assert result.aside == "positions_aside"


def test_an_imei_before_measurements_is_whose_they_are() -> None:
    result = decoded(
        "nb/up", "490154203237518,2026-03-01 10:00:00,21.5,44,3.6\n356938035643809,2026-03-01 10:00:05,9,50,3.5"
    )
    assert [(one.device.identifier, one.name, one.value) for one in result.readings if one.name == "2"] == [
        ("490154203237518", "2", 21.5), ("356938035643809", "2", 9.0)
    ]  # fmt: skip
    assert {one.time_us for one in result.readings} == {1_772_359_200_000_000, 1_772_359_205_000_000}
    assert result.aside == ""
    assert not is_imei("490154203237519")


def test_one_day_beyond_twelve_tells_the_order_of_all() -> None:
    assert order_of(["3/1/2026 10:00", "2/27/2026 10:00"]) == MONTH_FIRST
    assert order_of(["3/1/2026 10:00", "27/2/2026 10:00"]) == DAY_FIRST


def test_endless_tables_are_refused() -> None:
    for text in ("1,2,3\n" * 3000, "1," * 30_000 + "1"):
        with pytest.raises(UndecodableError, match="too_many"):
            decoded("t", text)


@given(
    st.lists(st.lists(st.text(alphabet='ab1.,;"-: /\t', max_size=8), max_size=5), max_size=6), st.sampled_from(",;\t")
)
def test_any_rows_decode_or_are_no_table(rows: list[list[str]], sign: str) -> None:
    text = "\n".join(sign.join(row) for row in rows)
    try:
        table = reader.read(text)
    except UndecodableError:
        return
    if table is not None:
        assert table.names
        assert table.rows
