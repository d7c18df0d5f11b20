"""ASGI middleware of the service and the page."""

import asyncio
import hmac
import json
import logging
import re
import time
import traceback
import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from fastapi import HTTPException
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.limits import Limits

if TYPE_CHECKING:  # the page has no metrics, and need not install their library
    from web.metrics import Metrics

UNLIMITED = ("/healthz", "/readyz", "/metrics")  # what a supervisor asks for
POLICY = (
    "default-src 'self' data: blob:; style-src 'self' 'unsafe-inline';"
    " script-src 'self' 'unsafe-inline' 'unsafe-eval';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_FOREIGN = re.compile(
    rb"<script[^>]*src=\"https?://[^>]*>\s*</script>|<link[^>]*href=\"https?://[^>]*>"
)

log = logging.getLogger("faunacheck")


class HostMiddleware:
    """Refuse requests that a page of another site has sent.

    Such a site can point its own name at this machine (DNS rebinding), which shows in ``Host``, and
    can post to an address that it cannot read from, which shows in ``Origin``. ``hosts`` are the
    names to answer to; ``*`` allows any.
    """

    def __init__(self, app: ASGIApp, hosts: Sequence[str]):
        self.app, self.hosts = app, {name.lower() for name in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        host, origin = (headers.get(name, "").lower() for name in ("host", "origin"))
        name = re.sub(r":\d+$", "", host).strip("[]")
        reads = scope.get("method") in ("GET", "HEAD", "OPTIONS")
        app: ASGIApp = self.app
        if name not in self.hosts and "*" not in self.hosts:
            app = error_response(400, f"unknown host name {name!r}; --allowed-host adds one")
        elif origin and not reads and origin.partition("://")[2] != host:
            app = error_response(403, f"not open to pages of {origin}")
        await app(scope, receive, send)


class AdmissionMiddleware:
    """Check the token, and limit the requests in flight, their size and their time.

    A refusal reads nothing of the body, so that it costs next to nothing. The time includes that
    of reading the body: a client that sends slowly, or never ends, loses its place. A ``token`` is
    what ``Authorization: Bearer`` must carry; None for no check.
    """

    def __init__(self, app: ASGIApp, limits: Limits, token: str | None):
        self.app, self.limits, self.token = app, limits, token
        self.in_flight = 0
        self._too_large = f"the body has more than {limits.max_body:,} bytes"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http" or scope["path"] in UNLIMITED:
            await self.app(scope, receive, send)
        elif refusal := self._refusal(Headers(scope=scope)):
            await refusal(scope, receive, send)
        else:
            self.in_flight += 1
            try:
                await self._timed(scope, receive, send)
            finally:
                self.in_flight -= 1

    def _refusal(self, headers: Headers) -> JSONResponse | None:
        if self.token is not None:
            scheme, _, token = headers.get("authorization", "").partition(" ")
            same = hmac.compare_digest(token.encode(), self.token.encode())
            if not same or scheme.lower() != "bearer":
                return error_response(401, "needs the token", {"WWW-Authenticate": "Bearer"})
        if self.in_flight >= self.limits.max_requests:
            message = f"too many requests; at most {self.limits.max_requests} are answered at once"
            return error_response(429, message, {"Retry-After": "1"})
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > self.limits.max_body:
            return error_response(413, self._too_large)
        return None

    async def _timed(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, but end it when its time is over."""
        started, taken = False, 0

        async def noted(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        async def counted() -> Message:  # a client may state no length, or a wrong one
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self.limits.max_body:
                raise HTTPException(413, self._too_large)
            return message

        deadline = asyncio.timeout(self.limits.timeout)
        try:
            async with deadline:
                await self.app(scope, counted, noted)
        except TimeoutError:
            if not deadline.expired():
                raise
            if not started:  # else the server closes the connection
                message = f"not answered within {self.limits.timeout:g} s"
                headers = {"Retry-After": "5", "Connection": "close"}
                await error_response(503, message, headers)(scope, receive, send)


class AccessLogMiddleware:
    """Log and count each request, without its text and photos, and answer 500 for a defect.

    Paths that are not in ``paths`` are ``other``, as a client may ask for anything.
    """

    def __init__(self, app: ASGIApp, metrics: "Metrics", paths: Sequence[str]):
        self.app, self.metrics, self.paths = app, metrics, paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and note its outcome."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"] if scope["path"] in self.paths else "other"
        row = {"request": uuid.uuid4().hex, "method": scope["method"], "path": path}
        status, started = 0, time.monotonic()

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                number = (b"x-request-id", row["request"].encode())
                message["headers"] = [*message["headers"], number]
            await send(message)

        with self.metrics.in_flight.track_inprogress():
            try:
                await self.app(scope, receive, noted)
            except Exception:
                row["defect"] = traceback.format_exc()
                if status:  # a part of another answer is out
                    raise
                message = f"internal error; the log has it under request {row['request']}"
                await error_response(500, message)(scope, receive, noted)
            finally:
                seconds = time.monotonic() - started
                self.metrics.requests.labels(path, str(status or 500)).inc()
                self.metrics.seconds.labels(path).observe(seconds)
                log.info(json.dumps(row | {"status": status or 500, "ms": round(seconds * 1000)}))


class OfflineMiddleware:
    """Take references to other hosts out of Gradio's HTML, and forbid the browser to follow any."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and edit the answer if it is HTML."""
        start: Message | None = None  # of an HTML page; its length is known when the body is
        body = b""

        async def edited(message: Message) -> None:
            nonlocal start, body
            headers = dict(message.get("headers", ()))
            if headers.get(b"content-type", b"").startswith(b"text/html"):
                start = message
            elif start is None:
                await send(message)
            else:
                body += message.get("body", b"")
                if not message.get("more_body"):
                    page = _FOREIGN.sub(b"", body)
                    headers = dict(start["headers"]) | {
                        b"content-length": str(len(page)).encode(),
                        b"content-security-policy": POLICY.encode(),
                    }
                    await send(start | {"headers": list(headers.items())})
                    await send({"type": "http.response.body", "body": page})

        await self.app(scope, receive, edited if scope["type"] == "http" else send)


def error_response(
    status: int, message: str, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Return an error as the client sees it."""
    return JSONResponse({"error": message}, status, headers)
