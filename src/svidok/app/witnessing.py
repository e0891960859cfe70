"""Intake's part in being watched: ask the witnesses, and turn what they have against us into alarms."""

from datetime import datetime, timedelta

from svidok.app.settings import Settings
from svidok.base import Clock, Conflict
from svidok.db import Database
from svidok.ledger.gathering import ALARMS, COSIGNED, SILENT, Asked, Gathering, Trouble
from svidok.recording import facts as f
from svidok.recording import wardens
from svidok.recording.store import enter_facts

_SILENT_FOR = timedelta(seconds=60)


def asked_witnesses(settings: Settings) -> list[Asked]:
    """Those that the settings name. Raises `Conflict` where a line is none, or more must sign than there are."""
    try:
        witnesses = [Asked.parse(line) for line in settings.witnesses]
    except ValueError as error:
        raise Conflict("witness-bad-key", f"A line of `witnesses` is not `URL verifier-key`: {error}") from error
    if settings.witness_quorum > len(witnesses):
        raise Conflict("witness-quorum", "More witnesses must sign than are named. Lower `witness_quorum`.")
    return witnesses


class Witnessing:
    """Asks the witnesses whenever it is told to, and raises and clears one alarm for each trouble of each witness.

    What a witness has against us is an alarm at once. That it says nothing is one when it has said nothing for a
    minute: a witness is somebody else's machine, and is started anew at times.
    """

    def __init__(self, settings: Settings, database: Database, clock: Clock) -> None:
        witnesses = asked_witnesses(settings)
        self._gathering = Gathering(folder=settings.ledger, witnesses=witnesses, quorum=settings.witness_quorum)
        self._database, self._clock = database, clock
        self._raised: set[tuple[str, str]] | None = (
            None  # what stood before this process began is read at the first ask
        )
        self._silent_since: dict[str, datetime] = {}
        if not witnesses:
            (settings.ledger / COSIGNED).unlink(missing_ok=True)  # of witnesses that are asked no more

    def ask(self) -> list[Trouble]:
        """Ask each of them about the checkpoint of now; what they have against us."""
        if not self._gathering.witnesses:
            return []
        troubles = self._gathering.gather()
        at = self._clock.now()
        now = {(one.code, one.witness): one.says for one in troubles if self._counts(one, at)}
        self._silent_since = {
            one.witness: self._silent_since.get(one.witness, at) for one in troubles if one.code == SILENT
        }
        raised = self._standing() if self._raised is None else self._raised
        told: list[f.AnyFact] = [
            f.AlarmRaised(code=code, subject=witness, at=at, details={"says": says})
            for (code, witness), says in now.items()
        ]
        told += [f.AlarmCleared(code=code, subject=witness, at=at) for code, witness in sorted(raised - set(now))]
        if told:
            with self._database.transaction() as tx:
                enter_facts(tx, told)
        self._raised = set(now)
        return troubles

    def _counts(self, trouble: Trouble, at: datetime) -> bool:
        return trouble.code != SILENT or at - self._silent_since.get(trouble.witness, at) >= _SILENT_FOR

    def _standing(self) -> set[tuple[str, str]]:
        with self._database.transaction() as tx:
            standing = wardens.alarms(tx)
        return {(one.code, one.subject) for one in standing if one.code in ALARMS and one.cleared_at is None}
