"""All children together: started in order, kept alive, stopped in reverse order."""

import signal
import time
from collections.abc import Iterable
from pathlib import Path

from mqtt.supervisor.child import Child, Program
from mqtt.supervisor.output import Output
from mqtt.supervisor.state import ChildPhase, write_state

TIME_TO_STOP = 4.5
"""Seconds for everything; the promise is 5."""
SERVERS_SHARE = 1.0
"""Of these, the seconds kept for broker and Valkey, which go last."""


class Family:
    """The children of one supervisor, in the order of their start."""

    def __init__(self, run_dir: Path, output: Output) -> None:
        self._run_dir = run_dir
        self._output = output
        self._stages: list[list[Child]] = []

    @property
    def children(self) -> list[Child]:
        """All of them, in the order of their start."""
        return [child for stage in self._stages for child in stage]

    def start(self, programs: Iterable[Program], *, beside: bool = False) -> None:
        """Start programs that need what was started before, and stop before it; or `beside` it."""
        stage = [Child(program, self._run_dir, self._output) for program in programs]
        if beside:
            self._stages[-1] += stage
        else:
            self._stages.append(stage)
        for child in stage:
            child.start()
        self._publish()

    def look_after(self) -> None:
        """One round over all children."""
        if any([child.look_after() for child in self.children]):  # noqa: C419 - each must be looked after
            self._publish()

    def is_ready(self, *names: str) -> bool:
        """Whether all children, or the named ones, do their work."""
        wanted = [child for child in self.children if not names or child.name in names]
        return all(child.phase is ChildPhase.RUNNING for child in wanted)

    def pause(self) -> float:
        """Seconds that nothing is expected to happen by itself."""
        if any(child.phase is ChildPhase.STARTING for child in self.children):
            return 0.05
        return min([1.0, *(left for child in self.children if (left := child.seconds_left) is not None)])

    def stop(self) -> None:
        """Ask stage after stage to end, the last started first; kill what has not ended in its time."""
        end = time.monotonic() + TIME_TO_STOP
        stages = [stage for stage in reversed(self._stages) if stage]
        for number, stage in enumerate(stages, 1):
            deadline = end - SERVERS_SHARE * (len(stages) - number)
            for child in stage:
                child.signal(signal.SIGTERM)
            while not all([child.has_ended() for child in stage]) and time.monotonic() < deadline:  # noqa: C419
                time.sleep(0.02)
            for child in stage:
                if not child.has_ended():
                    self._output.say(f"{child.name} did not end in time and is killed.")
                    child.signal(signal.SIGKILL)
        while not all([child.has_ended() for child in self.children]) and time.monotonic() < end + 0.3:  # noqa: C419
            time.sleep(0.02)
        self._publish()

    def _publish(self) -> None:
        try:
            write_state(self._run_dir, [child.state for child in self.children])
        except OSError as error:  # a full disk must not end what still works
            self._output.say(f"{self._run_dir} cannot be written: {error.strerror}")
