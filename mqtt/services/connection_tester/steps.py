"""What a step of a connection test is while it runs and once it has ended."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from mqtt.enums import StepState


@dataclass(frozen=True, slots=True)
class Found:
    """What a step found out: a reason as in `reasons`, with its facts."""

    reason: str
    context: Mapping[str, Any] = field(default_factory=dict)
    state: StepState = StepState.OK


@dataclass(slots=True)
class Step:
    """One line of the result, in the shape in which ConnectionTest stores it."""

    name: str
    state: StepState = StepState.WAITING
    reason: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)
    milliseconds: int | None = None

    def end(self, found: Found, milliseconds: int) -> None:
        """Take over what was found."""
        self.state, self.reason, self.context = found.state, found.reason, found.context
        self.milliseconds = milliseconds

    def as_dict(self) -> dict[str, Any]:
        """What goes into the database."""
        return asdict(self) | {"state": str(self.state), "context": dict(self.context)}
