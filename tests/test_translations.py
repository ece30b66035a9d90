"""What the program that gathers texts to translate can find."""

import re

from tests.console import ROOT

OTHER_NAMES = re.compile(r"\b(?:p|n|np)?gettext(?:_lazy|_noop)? as (?!_\b)\w+")


def test_no_text_hides_behind_a_name_that_the_gatherer_does_not_know() -> None:
    for folder in ("app", "mqtt"):
        for path in (ROOT / folder).rglob("*.py"):
            assert not OTHER_NAMES.search(path.read_text()), f"{path}: import it by its own name, or as _"
