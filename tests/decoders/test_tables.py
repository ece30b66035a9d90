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


def test_rows_of_a_tracker_say_who_and_not_where() -> None:
    result = decoded("van/raw", "490154203237518,A,45.1,9.2,80")
    assert (result.readings, [fact.device.identifier for fact in result.facts]) == ([], ["490154203237518"])
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
