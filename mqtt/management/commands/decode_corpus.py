"""`manage.py decode_corpus FILE`: how well the decoders understand messages whose meaning is known."""

import argparse
import json
import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from mqtt.decoders.corpus.judge import ASPECTS, Score, Verdict
from mqtt.decoders.corpus.lines import CorpusError, read
from mqtt.decoders.corpus.report import details, shares

HELP = """\
Decodes a corpus (one JSON object a line: id, family, topic, payload or payload_b64, kind, expect, needs) with the
decoders that the console itself would choose, and counts what is right.

Each line starts with an empty memory, into which the messages of `needs` (ids, or whole messages) go first;
with --in-order all lines are heard on one connection, each after those before it.
A line is received now, or at its `received_at`. Local time counts as UTC.

  devices       the identifier of each expected device; where none is expected, the name must come from the topic;
                where nothing is expected but a name, saying nothing is right
  gateways      of the devices that were found
  readings      device, name, value (within 1e-9; true is 1, false is 0) and unit; a unit that the decoder knows where
                none is expected is not wrong but counted as "units beyond"; a value of null stands for a unit
                that a discovery message announces, or for a value that must not come
  times         of the readings that were found; where none is expected, none may come
  availability  where it is expected; also each "offline" that nobody said
  false         readings that are not expected, unless a note calls the list a subset, or it is the battery that
                stands among the facts"""


OPTIONS = ("family", "in_order", "positions")


class Command(BaseCommand):
    help = HELP

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(
            prog_name, subcommand, formatter_class=argparse.RawDescriptionHelpFormatter, **kwargs
        )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="the corpus, JSON lines")
        parser.add_argument("--json", action="store_true", help="everything, with what each line expected and got")
        parser.add_argument("--in-order", action="store_true", help="one memory for all lines, in the file's order")
        parser.add_argument(
            "--positions", action="store_true", help="read OwnTracks as a subscription does that asks for positions"
        )
        parser.add_argument("--family", default="", help="only the lines of this family")

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            with options["file"].open("rb") as source:
                corpus = read(source, time.time_ns() // 1000)
            verdicts = [Verdict(outcome) for outcome in corpus.run(**{name: options[name] for name in OPTIONS})]
        except (OSError, CorpusError) as error:
            raise CommandError(str(error)) from None
        families: dict[str, Score] = {}
        for verdict in verdicts:
            families.setdefault(verdict.outcome.line.family, Score()).add(verdict.score)
        total = Score()
        for score in families.values():
            total.add(score)
        if options["json"]:
            whole = {
                "families": {family: shares(score) for family, score in sorted(families.items())},
                "total": shares(total),
                "lines": [details(verdict) for verdict in verdicts],
            }
            self.stdout.write(json.dumps(whole, indent=1, ensure_ascii=False))
        else:
            self._print(families, total)

    def _print(self, families: dict[str, Score], total: Score) -> None:
        self.stdout.write(_row("family", "messages", *ASPECTS, "false", "units beyond"))
        for family, score in [*sorted(families.items()), ("total", total)]:
            counts = (f"{score.right[aspect]}/{score.of[aspect]}" for aspect in ASPECTS)
            self.stdout.write(_row(family, score.messages, *counts, score.false_readings, score.units_beyond))
        percents = ("-" if not total.of[one] else f"{100 * total.right[one] / total.of[one]:.1f} %" for one in ASPECTS)
        self.stdout.write(_row("", "", *percents, "", ""))


def _row(name: str, *cells: object) -> str:
    return f"{name:<26}" + "".join(f"{cell!s:>14}" for cell in cells)
