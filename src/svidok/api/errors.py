"""Errors as people and programs read them: `{"code", "message", "details"}` with the status of their branch."""

from typing import Any

import structlog
from litestar import MediaType, Request, Response
from litestar.exceptions import HTTPException, ValidationException

from svidok.api.counts import REFUSALS
from svidok.api.static import SECURITY_HEADERS
from svidok.base import SvidokError

log = structlog.get_logger("api")


def on_svidok_error(_request: Request[Any, Any, Any], error: SvidokError) -> Response[dict[str, Any]]:
    """An error of ours."""
    return _answer(error.status, error.code, error.message, error.details)


def on_http_error(_request: Request[Any, Any, Any], error: HTTPException) -> Response[dict[str, Any]]:
    """An error of the framework: a route that is not there, a body that does not fit."""
    code = {400: "bad-request", 404: "not-found", 405: "method-not-allowed", 413: "too-large"}.get(
        error.status_code, "http-error"
    )
    details: dict[str, Any] = {}
    if isinstance(error, ValidationException):
        code, details = "bad-request", {"fields": [str(part.get("key", "")) for part in _parts(error.extra)]}
    return _answer(error.status_code, code, error.detail, details)


def on_surprise(request: Request[Any, Any, Any], error: Exception) -> Response[dict[str, Any]]:
    """An error nobody foresaw: logged in full, told in a sentence."""
    log.error("surprise", path=request.url.path, exc_info=error)
    return _answer(500, "internal", "Something broke on our side. It was logged.", {})


def _answer(status: int, code: str, message: str, details: dict[str, Any]) -> Response[dict[str, Any]]:
    REFUSALS.labels(code).inc()
    body = {"code": code, "message": message, "details": details}
    # The framework does not put its own headers on errors.
    return Response(body, status_code=status, media_type=MediaType.JSON, headers=SECURITY_HEADERS)


def _parts(extra: Any) -> list[dict[str, Any]]:
    return [part for part in extra if isinstance(part, dict)] if isinstance(extra, list) else []


HANDLERS: dict[Any, Any] = {SvidokError: on_svidok_error, HTTPException: on_http_error, Exception: on_surprise}
