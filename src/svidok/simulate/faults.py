"""What can be wrong with a camera, and when. Pure."""

from dataclasses import dataclass, field

FAULTS = {
    "none": "nothing is wrong",
    "stall": "keeps the connection and sends nothing",
    "cut": "closes the connection in the middle of a picture",
    "garbage": "sends bytes that are no stream",
    "slow": "sends at a tenth of the speed",
    "flood": "sends each packet ten times over",
    "loss": "leaves out every fiftieth packet",
    "unauthorised": "answers 401 for ever",
    "refuse": "answers 503 to everything",
    "clock-wrong": "its clock is `seconds` off",
    "clock-jump": "its clock jumps by `seconds` each time the fault begins",
    "sps-change": "changes to its other picture size in mid-stream",
    "frozen": "repeats its first group for ever",
    "unsigned": "signs no longer, where it signed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """`kind` of FAULTS; from `after_s` of a connection on, for `for_s`, again each `every_s`; zero means always."""

    kind: str = "none"
    after_s: float = 0.0
    for_s: float = 0.0
    every_s: float = 0.0
    numbers: dict[str, float] = field(default_factory=dict)

    def active(self, since_s: float) -> bool:
        """Whether it shows `since_s` seconds after the stream began.

        >>> stall = Fault(kind="stall", after_s=10, for_s=5, every_s=60)
        >>> [stall.active(s) for s in (0, 12, 16, 71)]
        [False, True, False, True]
        """
        if self.kind == "none" or since_s < self.after_s:
            return False
        if not self.for_s:
            return True
        passed = since_s - self.after_s
        return (passed % self.every_s if self.every_s else passed) < self.for_s


def parse_fault(text: str) -> Fault:
    """A fault as it is written at the command line.

    >>> parse_fault("stall,after=10,for=5").after_s
    10.0
    """
    kind, *pairs = text.split(",")
    if kind not in FAULTS:
        raise ValueError(f"there is no fault {kind!r}; known: {', '.join(FAULTS)}")
    numbers = {name: float(value) for name, _, value in (pair.partition("=") for pair in pairs)}
    return Fault(
        kind=kind,
        after_s=numbers.pop("after", 0.0),
        for_s=numbers.pop("for", 0.0),
        every_s=numbers.pop("every", 0.0),
        numbers=numbers,
    )
