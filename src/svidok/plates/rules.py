"""What the administrator may set of plates, and the bounds that nobody sets. Plain values."""

from datetime import timedelta

import msgspec


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """The bounds of searching, taking and judging reads. How long reads are kept is a retention rule, and not here."""

    age_tier: timedelta = timedelta(days=90)  # older reads need an authorisation
    searches_an_hour: int = 60
    searches_a_day: int = 300
    oldest_taken: timedelta = timedelta(days=30)  # a device may catch up that far
    longest_search: timedelta = timedelta(days=366)
    longest_place: timedelta = timedelta(hours=4)  # all reads of a place: never a whole day
    most_place_cameras: int = 50
    longest_trace: timedelta = timedelta(days=92)
    misread_share: float = 0.3  # above it a camera withdraws itself
    misread_least: int = 10  # verdicts before a share means anything
    alternative_least: float = 0.15  # another reading of the same plate hits from this probability on
