"""Customs control: checkpoints, lanes, procedures, scans; what is missing of each; figures on the work, complaints.

It says where evidence of a control is and where it is not, and how long the
work takes. It never scores, ranks or foretells anything of a person: no figure
here is kept by officer or traveller, and what looks unlike its peers is shown
with its reasons for a person to judge.
"""

from svidok.customs.model import Irregularity, Kind, Procedure, ProcedureIn, Step

__all__ = ["Irregularity", "Kind", "Procedure", "ProcedureIn", "Step"]
