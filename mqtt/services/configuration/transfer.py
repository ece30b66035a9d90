"""Out of the database into a file, and back: all of it or nothing."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.db import transaction

from mqtt import reasons
from mqtt.exceptions import ConfigurationError, ServiceError
from mqtt.services.audit import Actor
from mqtt.services.configuration import document
from mqtt.services.configuration.care import CORRECTIONS, NOTES
from mqtt.services.configuration.connections import CONNECTIONS
from mqtt.services.configuration.devices import LABELS
from mqtt.services.configuration.mappings import MAPPINGS
from mqtt.services.configuration.sections import Done, Row, RowError, Section
from mqtt.services.configuration.sites import SITES

SECTIONS: tuple[Section, ...] = (SITES, CONNECTIONS, MAPPINGS, LABELS, CORRECTIONS, NOTES)
"""In the order in which they need each other."""

Tell = Callable[[str, int, int], None]


@dataclass
class Outcome:
    """What an import did, or would do."""

    done: list[tuple[str, Done]] = field(default_factory=list)
    """(section, what became of the row)."""
    errors: list[str] = field(default_factory=list)

    @property
    def counts(self) -> Counter[str]:
        """How many rows were created, changed, unchanged, or wait."""
        return Counter(one.what for _, one in self.done)


def export_text(*, secrets: bool = False) -> str:
    """The configuration as YAML; with `secrets` the passwords and keys of connections can be read in it."""
    return document.write({section.name: list(section.export(secrets)) for section in SECTIONS})


def import_text(actor: Actor, text: str, *, dry_run: bool, tell: Tell) -> Outcome:
    """Store what a file says: all of it, or nothing when one row cannot be. Raises ConfigurationError for no file."""
    content = document.read(text, tuple(section.name for section in SECTIONS))
    outcome = Outcome()
    total = sum(len(rows) for rows in content.values())
    with transaction.atomic():
        for section in SECTIONS:
            for number, row in enumerate(content.get(section.name, []), 1):
                _store(section, actor, row, number, outcome)
                tell("importing", len(outcome.done), total)
        if dry_run or outcome.errors:
            transaction.set_rollback(True)
    return outcome


def _store(section: Section, actor: Actor, row: Row, number: int, outcome: Outcome) -> None:
    where = f"{section.name} {number} ({row.get('name') or row.get('key') or 'without a name'})"
    try:
        with transaction.atomic():
            outcome.done.append((section.name, section.store(actor, row)))
    except RowError as error:
        outcome.errors.append(f"{where}: {error}.")
    except ServiceError as error:
        outcome.errors.append(f"{where}: {reasons.explain(error.code, error.context)}")
    except ValidationError as error:
        outcome.errors.append(f"{where}: {' '.join(error.messages)}")


__all__ = ["ConfigurationError", "Outcome", "export_text", "import_text"]
