"""Hands the commands of people to this process's sessions, and writes what became of them."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from mqtt.enums import CommandState
from mqtt.models import COMMAND_PATIENCE, OVERDUE, Command
from mqtt.services.commands import announce
from mqtt.services.holding.held_connection import HeldConnection
from mqtt.services.sessions.outbox import Answer, Outgoing

AT_ONCE = 200
"""Commands handed out in one round; the others wait for the next."""


def hand_out(held: Mapping[int, HeldConnection]) -> int:
    """Claim what waits for connections whose link is up; returns how many. Raises what the database raises."""
    close_overdue()
    sessions = {pk: one.session for pk, one in held.items() if one.session and one.session.is_up and not one.is_leaving}
    waiting = Command.objects.filter(
        state=CommandState.QUEUED, requested_at__gt=Now() - COMMAND_PATIENCE, connection__in=list(sessions)
    )
    count = 0
    for command in waiting.order_by("requested_at", "id")[:AT_ONCE] if sessions else ():
        if Command.objects.filter(pk=command.pk, state=CommandState.QUEUED).update(state=CommandState.RUNNING) == 1:
            sessions[command.connection_id].publish(
                Outgoing(command.pk, command.topic, bytes(command.payload), command.qos, command.retain)
            )
            count += 1
    return count


def write_answers(held: Mapping[int, HeldConnection]) -> None:
    """Store what the sessions heard of their commands. Raises what the database raises; nothing is lost then."""
    for pk, one in held.items():
        while one.answers:
            _store(pk, one.answers[0])
            one.answers.popleft()


def close_overdue() -> None:
    """Write the end of what nobody took up, or nobody answered for."""
    annotated: Any = Command.objects.with_effective_state()
    overdue = annotated.filter(state__in=(CommandState.QUEUED, CommandState.RUNNING))
    for command in overdue.exclude(effective_state=F("state"))[:AT_ONCE]:
        with transaction.atomic():
            ended = Command.objects.filter(pk=command.pk, state=command.state).update(
                state=command.shown_state,
                reason=OVERDUE[CommandState(command.shown_state)],
                context={"seconds": round(COMMAND_PATIENCE.total_seconds())},
                finished_at=Now(),
            )
            if ended:
                announce(command.pk, command.connection_id)


@transaction.atomic
def _store(connection_id: int, answer: Answer) -> None:
    reason = answer.reason
    Command.objects.filter(pk=answer.command_id, state=CommandState.RUNNING).update(
        state=answer.state,
        reason=reason.code if reason else "",
        context=dict(reason.context) if reason else {},
        finished_at=Now(),
    )
    announce(answer.command_id, connection_id)
