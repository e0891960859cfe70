"""An alert, its states, and what a person may do with it. Plain values; decides purely."""

from enum import StrEnum

from svidok.base import Conflict


class State(StrEnum):
    """Where an alert stands."""

    NEW = "new"
    ACKNOWLEDGED = "acknowledged"
    CONFIRMED = "confirmed"
    REFUTED = "refuted"


class Step(StrEnum):
    """What a person does with an alert."""

    ACKNOWLEDGE = "acknowledge"
    CONFIRM = "confirm"
    REFUTE = "refute"
    HAND_OVER = "hand-over"
    NOTE = "note"


class Why(StrEnum):
    """Why an alert was false."""

    MISREAD = "misread"  # the plate on the picture is another
    OUTDATED = "outdated"  # rightly read, but nobody looks for it any more
    OTHER = "other"


_FROM: dict[Step, tuple[State, ...]] = {
    Step.ACKNOWLEDGE: (State.NEW,),
    Step.CONFIRM: (State.NEW, State.ACKNOWLEDGED),
    Step.REFUTE: (State.NEW, State.ACKNOWLEDGED),
    Step.HAND_OVER: (State.NEW, State.ACKNOWLEDGED, State.CONFIRMED),
    Step.NOTE: tuple(State),
}
_TO = {Step.ACKNOWLEDGE: State.ACKNOWLEDGED, Step.CONFIRM: State.CONFIRMED, Step.REFUTE: State.REFUTED}


def after(state: State, step: Step) -> State:
    """The state after `step`. Raises `Conflict` where it cannot be taken.

    >>> after(State.NEW, Step.CONFIRM).value
    'confirmed'
    """
    if state not in _FROM[step]:
        raise Conflict("alert-state", f"This alert is {state} already. Look at it again.", state=str(state))
    return _TO.get(step, state)


def verdict_of(state: State, why: Why | None) -> str | None:
    """What the hits of an alert are marked with once a person judged it."""
    if state == State.CONFIRMED:
        return "confirmed"
    return str(why or Why.OTHER) if state == State.REFUTED else None
