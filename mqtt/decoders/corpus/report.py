"""Verdicts as plain values, for people and scripts that look for what is wrong."""

from typing import Any

from mqtt.decoders.corpus.judge import ASPECTS, Score, Verdict
from mqtt.decoders.times import EPOCH, MICROSECOND
from mqtt.messages import Decoded, DeviceRef


def shares(score: Score) -> dict[str, Any]:
    """The figures of a score."""
    aspects = {aspect: {"right": score.right[aspect], "of": score.of[aspect]} for aspect in ASPECTS}
    return {
        "messages": score.messages,
        **aspects,
        "false_readings": score.false_readings,
        "units_beyond": score.units_beyond,
    }


def details(verdict: Verdict) -> dict[str, Any]:
    """A line with what it expected, what came, and what of it is wrong."""
    line, decoded = verdict.outcome.line, verdict.outcome.decoded
    return {
        "id": line.id,
        "family": line.family,
        "kind": line.kind,
        "topic": line.message.topic,
        "decoder": decoded.decoder if decoded else None,
        "error": verdict.outcome.error or None,
        "wrong": verdict.wrong,
        "expected": line.expect,
        "came": _came(decoded) if decoded else None,
        "score": shares(verdict.score),
    }


def _came(decoded: Decoded) -> dict[str, Any]:
    return {
        "readings": [
            {
                **_device(one.device),
                "name": one.name,
                "value": one.value if one.text is None else one.text,
                "unit": one.unit or None,
                "kind": one.kind or None,
                "timestamp": _moment(one.time_us),
            }
            for one in decoded.readings
        ],
        "availability": [
            {**_device(one.device), "availability": one.availability.value, "is_gateway": one.is_gateway}
            for one in decoded.availability
        ],
        "facts": [{**_device(one.device), "facts": one.facts, "is_gateway": one.is_gateway} for one in decoded.facts],
        "announcements": [
            {"family": one.family, "key": one.key, "data": one.data, "topics": one.topics}
            for one in decoded.announcements
        ],
        "requests": [one.topic for one in decoded.requests],
        "wrong_clock": _moment(decoded.wrong_clock_us),
    }


def _device(ref: DeviceRef) -> dict[str, Any]:
    return {"device": ref.identifier, "gateway": ref.gateway_identifier or None}


def _moment(time_us: int | None) -> str | None:
    """As ISO 8601, also where no calendar reaches."""
    if time_us is None:
        return None
    try:
        return (EPOCH + time_us * MICROSECOND).isoformat()
    except OverflowError:
        return f"{time_us} µs"
