"""ASGI middleware of the service and the page."""

import re
from collections.abc import Sequence

from fastapi import HTTPException
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send


class HostMiddleware:
    """Refuse requests that a page of another site has sent.

    Such a site can point its own name at this machine (DNS rebinding), which shows in ``Host``, and
    can post to an address that it cannot read from, which shows in ``Origin``.

    Args:
        app: The application to guard.
        hosts: Names to answer to, an IPv6 address in brackets; ``*`` allows any name.
    """

    def __init__(self, app: ASGIApp, hosts: Sequence[str]):
        self.app, self.hosts = app, {name.lower() for name in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        refusal = None if scope["type"] == "lifespan" else self._refusal(scope)
        await (error_response(refusal) if refusal else self.app)(scope, receive, send)

    def _refusal(self, scope: Scope) -> HTTPException | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "").lower()
        name = re.sub(r":\d+$", "", host)
        if name not in self.hosts and "*" not in self.hosts:
            return HTTPException(400, f"unknown host name {name!r}; --allowed-host adds one")
        origin = headers.get("origin", "").lower()
        reads = scope.get("method") in ("GET", "HEAD", "OPTIONS")
        if origin and not reads and origin.partition("://")[2] != host:
            return HTTPException(403, f"not open to pages of {origin}")
        return None


def error_response(error: HTTPException) -> JSONResponse:
    """Return an error as the client sees it."""
    return JSONResponse({"error": error.detail}, error.status_code, error.headers)
