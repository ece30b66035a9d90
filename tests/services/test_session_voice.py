from mqtt.enums import ConnectionStatus
from mqtt.services.sessions.link_reasons import Reason
from mqtt.services.sessions.reports import Report
from mqtt.services.sessions.voice import Voice

REFUSED = Report(status=ConnectionStatus.ERROR, reason=Reason("filters_refused", is_error=True))


def said(voice: Voice) -> list[tuple[ConnectionStatus, str]]:
    return [(one.status, one.reason.code if one.reason else "") for one in voice.reports]


def test_silence_is_told_once_and_ends_with_what_was_said_before_it() -> None:
    calls: list[None] = []
    voice = Voice(lambda: calls.append(None))
    voice.link_up({"b", "a"})
    assert voice.may_fall_silent
    voice.silent(Reason("silent"))
    assert not voice.may_fall_silent
    voice.heard()
    voice.heard()
    assert said(voice) == [
        (ConnectionStatus.CONNECTED, ""),
        (ConnectionStatus.SILENT, "silent"),
        (ConnectionStatus.CONNECTED, ""),
    ]
    assert voice.reports[0].kept_filters == ("a", "b")
    assert len(calls) == 3


def test_where_all_filters_are_refused_silence_is_no_news_and_later_reports_keep_the_reason() -> None:
    voice = Voice(lambda: None)
    voice.link_up(())
    voice.answered(REFUSED)
    assert not voice.may_fall_silent
    voice.keeps(["a"])
    assert said(voice)[-2:] == [(ConnectionStatus.ERROR, "filters_refused")] * 2
    assert voice.reports[-1].kept_filters == ("a",)


def test_a_note_on_the_broker_stands_where_there_is_nothing_worse() -> None:
    voice = Voice(lambda: None)
    voice.link_up((), Reason("session_short", {"seconds": 0}))
    voice.answered(Report(status=ConnectionStatus.CONNECTED))
    voice.answered(REFUSED)
    assert said(voice) == [
        (ConnectionStatus.CONNECTED, "session_short"),
        (ConnectionStatus.CONNECTED, "session_short"),
        (ConnectionStatus.ERROR, "filters_refused"),
    ]
