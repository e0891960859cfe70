"""Svidok (свідок, "witness"): footage never lost in silence, never rewritten unseen, never watched without leave."""
