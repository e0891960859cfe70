"""When a gap opens and when it closes. Pure: it is told what happened and when, and answers with facts.

A gap begins where footage ended, not where its end was noticed. Where the
reason changes while it lasts (a silent camera comes back and refuses the
password), one gap ends and the next begins, so that no reason is hidden.
"""

from uuid import UUID

from svidok.base import from_us, new_id
from svidok.recording.facts import AnyFact, GapClosed, GapOpened
from svidok.recording.model import GapReason

TOLERANCE_US = 1_000_000  # footage that goes on within a second of its end is unbroken


class GapKeeper:
    """Keeps the gaps of one channel."""

    def __init__(self, channel_id: UUID, *, last_end_us: int = 0, open_reason: GapReason | None = None) -> None:
        self._channel_id = channel_id
        self._last_end_us = last_end_us
        self._reason = open_reason

    @property
    def reason(self) -> GapReason | None:
        """Why there is no footage now, or nothing while there is."""
        return self._reason

    @property
    def last_end_us(self) -> int:
        """The instant after the last footage; zero before the first."""
        return self._last_end_us

    def failed(self, reason: GapReason, at_us: int, detail: str = "") -> list[AnyFact]:
        """There is no footage, for this reason, noticed at `at_us`."""
        if self._reason == reason:
            return []
        facts: list[AnyFact] = []
        if self._reason is not None:
            facts.append(GapClosed(channel_id=self._channel_id, at=from_us(at_us)))
            start_us = at_us
        else:
            start_us = self._last_end_us or at_us
        self._reason = reason
        facts.append(self._open(start_us, reason, detail))
        return facts

    def lost(self, start_us: int, reason: GapReason, at_us: int) -> list[AnyFact]:
        """What was counted as footage from `start_us` on never reached a disk."""
        if self._reason is None:
            self._last_end_us = min(self._last_end_us, start_us)
        return self.failed(reason, at_us)

    def footage(self, start_us: int, end_us: int) -> list[AnyFact]:
        """There is footage from `start_us` to `end_us`."""
        facts: list[AnyFact] = []
        if self._reason is not None:
            facts.append(GapClosed(channel_id=self._channel_id, at=from_us(start_us)))
            self._reason = None
        elif self._last_end_us and start_us - self._last_end_us > TOLERANCE_US:
            facts.append(self._open(self._last_end_us, GapReason.STREAM_STALLED, ""))
            facts.append(GapClosed(channel_id=self._channel_id, at=from_us(start_us)))
        self._last_end_us = max(self._last_end_us, end_us)
        return facts

    def _open(self, start_us: int, reason: GapReason, detail: str) -> GapOpened:
        return GapOpened(
            gap_id=new_id(), channel_id=self._channel_id, at=from_us(start_us), reason=reason, detail=detail[:200]
        )
