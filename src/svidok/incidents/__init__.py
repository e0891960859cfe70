"""Alerts: raised from hits, judged by people, told to others only then. Nothing happens on a machine's word alone."""
