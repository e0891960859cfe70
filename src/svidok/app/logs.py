"""How we write logs: structured, in UTC, one line a happening, and never a secret in it."""

import logging
import re
from collections.abc import MutableMapping
from typing import Any

import structlog

_URL_PASSWORD = re.compile(r"(\w+://[^\s:/@]*):[^\s@]*@")
_SECRET_NAMES = ("password", "secret", "token", "credential", "authorization", "cookie")


def hide_secrets(_logger: object, _method: str, happening: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Blot out what must not be read in a log: values under telling names, and passwords inside addresses.

    >>> hide_secrets(None, "", {"url": "rtsp://eye:hunter2@10.0.0.1/main", "password": "x"})
    {'url': 'rtsp://eye:***@10.0.0.1/main', 'password': '***'}
    """
    for name, value in happening.items():
        if any(secret in name.lower() for secret in _SECRET_NAMES):
            happening[name] = "***"
        elif isinstance(value, str):
            happening[name] = _URL_PASSWORD.sub(r"\1:***@", value)
    return happening


def set_up_logs(log_format: str) -> None:
    """Send everything, the libraries' lines too, to standard error as text or JSON."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        hide_secrets,
    ]
    # Plain traces: the default ones print every local variable, and with them the password of whoever signs in.
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    )
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, renderer]
        if log_format == "json"
        else [*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=shared))
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    for chatty in ("httpx", "psycopg.pool", "uvicorn.access", "nats"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
