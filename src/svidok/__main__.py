"""`python -m svidok`."""

from svidok.app.main import main

main()
