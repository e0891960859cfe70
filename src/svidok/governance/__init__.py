"""Why footage may be kept, seen or destroyed: references, purposes, retention rules, legal holds, disposal decided."""

from svidok.governance.disposal import Footage, decide_disposal
from svidok.governance.model import Disposal, LegalHold, Purpose, Reference, ReferenceKind, RetentionRule, Verdict

__all__ = [
    "Disposal",
    "Footage",
    "LegalHold",
    "Purpose",
    "Reference",
    "ReferenceKind",
    "RetentionRule",
    "Verdict",
    "decide_disposal",
]
