"""Who is asking and what they may do: actors, units, roles, sessions, permissions, and the trail of every look."""

from svidok.access.model import ACTIONS, Actor, Decision, Role, Verdict
from svidok.access.permissions import Context, decide, permitted, require

__all__ = ["ACTIONS", "Actor", "Context", "Decision", "Role", "Verdict", "decide", "permitted", "require"]
