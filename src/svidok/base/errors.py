"""The error tree. A door maps the branch to its own form (an HTTP status, an exit code).

    SvidokError
    ├── BadInput      the caller can mend it: what is wrong and what to send instead   400
    ├── Forbidden     the actor has no leave for this                                  403
    ├── NotFound      the named thing does not exist, or is not the actor's to see     404
    ├── Conflict      the state of the thing refuses the verb                          409
    └── Unavailable   a part we need does not answer; nothing was done; try later      503

Every error carries a `code` (a stable slug which the interface translates), a
`message` in plain English that says what to do next, and `details` (values
named in the translation; never a secret).
"""

from typing import ClassVar


class SvidokError(Exception):
    """The root: something that a person must be told in words."""

    status: ClassVar[int] = 500

    def __init__(self, code: str, message: str, **details: str | int | None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details


class BadInput(SvidokError):
    """The caller sent something that cannot be taken, and can mend it."""

    status = 400


class Forbidden(SvidokError):
    """The actor has no leave to do this."""

    status = 403


class NotFound(SvidokError):
    """There is no such thing, or it is not the actor's to see."""

    status = 404


class Conflict(SvidokError):
    """The thing is in a state that refuses this."""

    status = 409


class Unavailable(SvidokError):
    """A part we need does not answer. Nothing was done."""

    status = 503
