"""Logs tell what broke, and never a secret that was at hand when it did."""

import logging
from collections.abc import Iterator

import pytest
import structlog

from svidok.app.logs import set_up_logs


@pytest.fixture
def logs_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def sign_in(password: str) -> None:
    kept = {"password": password}
    raise RuntimeError(f"the account has {len(kept)} passwords")


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_trace_shows_no_local_variables(
    log_format: str, logs_as_before: None, capsys: pytest.CaptureFixture[str]
) -> None:
    canary = "-".join(["canary", "in", "a", "variable"])
    set_up_logs(log_format)
    try:
        sign_in(canary)
    except RuntimeError as error:
        structlog.get_logger("fresh").error("surprise", path="/x", exc_info=error)
        logging.getLogger("library").error("surprise", exc_info=error)
    told = "".join(capsys.readouterr())
    assert "the account has 1 passwords" in told
    assert canary not in told
