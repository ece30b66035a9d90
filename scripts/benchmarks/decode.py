"""`scripts/bench decode`: what it costs to choose a decoder and to decode, for each family of the tests' corpus."""

import time
from contextlib import suppress

from benchmarks.bench import Bench
from benchmarks.report import Report, middle, percentile
from benchmarks.stores import ROOT
from mqtt.decoders.corpus.lines import Line, read
from mqtt.decoders.memory import Memory
from mqtt.decoders.registry import decode
from mqtt.exceptions import UndecodableError

CORPUS = ROOT / "tests" / "corpus" / "families.jsonl"
WARM = 50


def measure(bench: Bench) -> Report:
    """Median and 99th percentile of a message, in microseconds."""
    report = bench.report("decode", "Choosing and decoding one message, µs")
    rounds = bench.options.size(4000, 20)
    with CORPUS.open("rb") as source:
        corpus = read(source, time.time_ns() // 1000)
    families: dict[str, list[float]] = {}
    sizes: dict[str, list[float]] = {}
    for line, memory in corpus.primed():
        families.setdefault(line.family, []).extend(_times(line, memory, rounds))
        sizes.setdefault(line.family, []).append(len(line.message.payload))
    for family, times in sorted(families.items()):
        report.add(family, median=middle(times), p99=percentile(times, 0.99), bytes=middle(sizes[family]))
    everything = [middle(times) or 0.0 for times in families.values()]
    report.add("all families", median=middle(everything), p99=None, bytes=None)
    return report


def _times(line: Line, memory: Memory, rounds: int) -> list[float]:
    """Processor time of each round, so that other processes do not count."""
    times = []
    for _ in range(rounds + WARM):
        begun = time.thread_time_ns()
        with suppress(UndecodableError):
            decode(line.message, memory)
        times.append((time.thread_time_ns() - begun) / 1000)
    return times[WARM:]
