"""Errors as people and programs read them: `{"code", "message", "details"}` with the status of their branch."""

from typing import Any

import structlog
from litestar import MediaType, Request, Response
from litestar.exceptions import HTTPException, ValidationException

from svidok.base import SvidokError

log = structlog.get_logger("api")


def on_svidok_error(_request: Request[Any, Any, Any], error: SvidokError) -> Response[dict[str, Any]]:
    """An error of ours."""
    body = {"code": error.code, "message": error.message, "details": error.details}
    return Response(body, status_code=error.status, media_type=MediaType.JSON)


def on_http_error(_request: Request[Any, Any, Any], error: HTTPException) -> Response[dict[str, Any]]:
    """An error of the framework: a route that is not there, a body that does not fit."""
    code = {400: "bad-request", 404: "not-found", 405: "method-not-allowed", 413: "too-large"}.get(
        error.status_code, "http-error"
    )
    details: dict[str, Any] = {}
    if isinstance(error, ValidationException):
        code, details = "bad-request", {"fields": [str(part.get("key", "")) for part in _parts(error.extra)]}
    body = {"code": code, "message": error.detail, "details": details}
    return Response(body, status_code=error.status_code, media_type=MediaType.JSON)


def on_surprise(request: Request[Any, Any, Any], error: Exception) -> Response[dict[str, Any]]:
    """An error nobody foresaw: logged in full, told in a sentence."""
    log.error("surprise", path=request.url.path, exc_info=error)
    body = {"code": "internal", "message": "Something broke on our side. It was logged.", "details": {}}
    return Response(body, status_code=500, media_type=MediaType.JSON)


def _parts(extra: Any) -> list[dict[str, Any]]:
    return [part for part in extra if isinstance(part, dict)] if isinstance(extra, list) else []


HANDLERS: dict[Any, Any] = {SvidokError: on_svidok_error, HTTPException: on_http_error, Exception: on_surprise}
