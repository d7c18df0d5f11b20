"""The ASGI middleware that refuses requests before they are read."""

import hmac

from fastapi import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.limits import Limits
from web.middleware import error_response

UNLIMITED = ("/healthz", "/readyz", "/metrics")  # what a supervisor asks for


class Gate:
    """ASGI middleware: the token, the number of requests at work, and the size of a body.

    It comes before anything is read, so that a refusal costs next to nothing.

    Args:
        app: What it guards.
        limits: See `Limits`.
        token: What ``Authorization: Bearer`` must say, None for no check.
    """

    def __init__(self, app: ASGIApp, limits: Limits, token: str | None):
        self.app, self.limits, self.token = app, limits, token
        self.at_work = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http" or scope["path"] in UNLIMITED:
            await self.app(scope, receive, send)
            return
        try:
            self._check(dict(scope["headers"]))
        except HTTPException as refusal:
            await error_response(refusal)(scope, receive, send)
            return
        self.at_work += 1
        try:
            await self.app(scope, self._counted(receive), send)
        finally:
            self.at_work -= 1

    def _check(self, headers: dict[bytes, bytes]) -> None:
        if self.token is not None:
            expected = f"Bearer {self.token}".encode()
            if not hmac.compare_digest(headers.get(b"authorization", b""), expected):
                raise HTTPException(401, "needs the token", {"WWW-Authenticate": "Bearer"})
        if self.at_work >= self.limits.max_requests:
            raise HTTPException(429, "too many requests at work", {"Retry-After": "1"})
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and int(length) > self.limits.max_body:
            raise self._too_large()

    def _counted(self, receive: Receive) -> Receive:
        """Count what comes, as a client may say nothing of the size or lie about it."""
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self.limits.max_body:
                raise self._too_large()
            return message

        return counted

    def _too_large(self) -> HTTPException:
        return HTTPException(413, f"the body has more than {self.limits.max_body:,} bytes")
