"""The rooms that own tables, lowest floor first: the order in which their migrations run."""

ROOMS = [
    "svidok.ledger",
    "svidok.access",
    "svidok.governance",
    "svidok.fleet",
    "svidok.recording",
    "svidok.bodyworn",
    "svidok.plates",
    "svidok.incidents",
    "svidok.customs",
    "svidok.evidence",
]
