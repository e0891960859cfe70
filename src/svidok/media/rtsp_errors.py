"""Why a camera's stream ended or never began.

RtspError
├── RtspUnauthorized   it refused the password (or asks in a way we cannot answer)
├── RtspRefused        it answered with another status
├── RtspTimeout        it did not answer, or stopped sending
├── RtspGarbage        what it sends cannot be a stream
└── RtspClosed         the connection ended
"""


class RtspError(Exception):
    """The root. `reason` is the gap reason that it leads to."""

    reason = "camera-silent"


class RtspUnauthorized(RtspError):
    """It refused the password."""

    reason = "wrong-password"


class RtspRefused(RtspError):
    """It answered with `status`."""

    reason = "camera-refused"

    def __init__(self, status: int, phrase: str) -> None:
        super().__init__(f"{status} {phrase}")
        self.status = status


class RtspTimeout(RtspError):
    """It did not answer in time, or stopped sending."""

    reason = "stream-stalled"


class RtspGarbage(RtspError):
    """What it sends cannot be a stream that we can keep."""

    reason = "camera-garbage"


class RtspClosed(RtspError):
    """The connection ended."""

    reason = "camera-silent"
