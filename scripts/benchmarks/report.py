"""Figures of one bench: printed as a table, kept as JSON."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any


@dataclass
class Row:
    """One measured thing: its figures by column, None where there is none."""

    name: str
    figures: dict[str, Any]


@dataclass
class Report:
    """What one bench found."""

    bench: str
    title: str
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, name: str, **figures: Any) -> None:
        """Add a row; the names of the figures are the columns, `per_second` is shown as `per second`."""
        self.rows.append(Row(name, figures))
        print(f"  {name}: " + ", ".join(f"{key} {shown(value)}" for key, value in figures.items()), flush=True)

    def figure(self, name: str, column: str) -> Any:
        """A figure of an earlier row; None when it is not there."""
        return next((row.figures.get(column) for row in self.rows if row.name == name), None)

    def as_json(self) -> dict[str, Any]:
        """The whole report as plain values."""
        return asdict(self)

    def as_text(self) -> str:
        """The report as a table."""
        columns = list(dict.fromkeys(column for row in self.rows for column in row.figures))
        lines = [["", *(column.replace("_", " ") for column in columns)]]
        lines += [[row.name, *(shown(row.figures.get(column)) for column in columns)] for row in self.rows]
        widths = [max(len(line[index]) for line in lines) for index in range(len(columns) + 1)]
        text = [self.title]
        for line in lines:
            cells = [line[0].ljust(widths[0])]
            cells += [cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)]
            text.append("  ".join(cells))
        return "\n".join([*text, *self.notes])


def shown(value: Any) -> str:
    """A figure as one reads it: three digits that count, thousands with a comma."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def middle(values: Sequence[float]) -> float | None:
    """The median; None of nothing."""
    return float(median(values)) if values else None


def percentile(values: Sequence[float], share: float) -> float | None:
    """The value below which `share` of them lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else None


def ratio(value: float | None, base: float | None) -> float | None:
    """How many times `base` a value is."""
    return value / base if value and base else None
