"""The web app's own files. Every path that is no file is the app itself, which finds its page by the address."""

import mimetypes
from pathlib import Path
from typing import Any

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from svidok.api.door import PUBLIC
from svidok.base import NotFound

CSP = (
    "default-src 'self'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; "
    "img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self'; worker-src 'self' blob:; "
    "font-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
SECURITY_HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",  # unless a route says otherwise
}
# Only where we are reached by TLS: elsewhere a browser ignores it, and a wrong one locks people out.
HSTS = {"Strict-Transport-Security": "max-age=31536000"}


def web_routes(folder: Path) -> list[HTTPRouteHandler]:
    """The routes that serve the built web app in `folder`."""
    root = folder.resolve()

    @get(["/", "/{path:path}"], **PUBLIC, sync_to_thread=True, include_in_schema=False)
    def serve(path: Path | None = None) -> Response[Any]:
        name = str(path or "").lstrip("/")
        if name.startswith(("api/", "ledger/")):
            raise NotFound("not-found", "There is no such route.")
        file = (root / name).resolve()
        if not name or not file.is_relative_to(root) or not file.is_file():
            file = root / "index.html"
        if not file.is_file():
            raise NotFound("web-not-built", "The web interface is not built. Run ./svidok setup.")
        lasting = name.startswith("assets/")
        return Response(
            file.read_bytes(),
            media_type=mimetypes.guess_type(file.name)[0] or "application/octet-stream",
            headers={"Cache-Control": "public, max-age=31536000, immutable" if lasting else "no-cache"},
        )

    return [serve]
