"""Who is asking and what they may do: actors, units, roles, sessions, permissions, and the trail of every look."""

from svidok.access.model import ACTIONS, Actor, Decision, Role, Verdict
from svidok.access.permissions import decide, permitted, require

__all__ = ["ACTIONS", "Actor", "Decision", "Role", "Verdict", "decide", "permitted", "require"]
