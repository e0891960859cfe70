"""The roles a process can play: hub (web and API), recorder (cameras to disk), intake (ledger, health, disposal)."""
