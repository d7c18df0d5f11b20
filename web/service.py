"""The HTTP service: pairs in, the JSON of the command out.

``POST /v1/verify`` takes a form (multipart) with a part ``text`` and a part ``image`` for each
pair. One pair is answered with one object, or with 422 if it has no answer; several with a list, in
which a pair without an answer carries its error. Photos come in the request alone: no path and no
address in it is ever opened.
"""

import asyncio
import json
import logging
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from typing import Annotated, Any

from fastapi import FastAPI, File, Form, HTTPException, UploadFile
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from PIL import Image
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client import generate_latest as exposition
from starlette.exceptions import HTTPException as StarletteError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from common.images.load import FORMATS
from engine.answer import Answer
from engine.verifier import Verifier
from web.batcher import Batcher
from web.gate import Gate, error_response
from web.limits import Limits

EXAMPLE = {
    "text": "There is a cow, but no dog.",
    "image": None,
    "verdict": True,
    "answer": "True",
    "reason": "NAMED_ANIMAL_FOUND",
    "explanation": "cow 0.98; dog absent (0.00)",
    "claims": [
        {
            **{"mention": "cow", "start": 11, "end": 14, "animal": "cow", "negated": False},
            **{"cue": None, "probability": 0.98, "holds": True},
        }
    ],
    "prediction": {
        **{"label": "cow", "probability": 0.98, "known": True},
        **{"concept": {"name": "cow", "probability": 0.98}, "top": [["cow", 0.98], ["ox", 0.01]]},
    },
    "error": None,
}
ERRORS = {
    400: "a form that cannot be read",
    401: "no or another token",
    413: "a body, a text or a photo that is too large, or too many pairs",
    422: "a part is missing, or the pair has no answer",
    429: "too many requests at work; Retry-After says when to come again",
    503: "not answered in time, or stopping",
}

log = logging.getLogger("faunacheck")


class Metrics:
    """What ``/metrics`` tells, for one application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        names = {"registry": self.registry, "namespace": "faunacheck"}
        self.requests = Counter("requests", "Requests by status.", ["path", "status"], **names)
        self.seconds = Histogram("request_seconds", "Time to answer.", ["path"], **names)
        self.answers = Counter("answers", "Pairs by verdict.", ["verdict"], **names)
        self.at_work = Gauge("requests_at_work", "Requests that are being answered.", **names)


def create_app(
    verifier: Verifier, limits: Limits | None = None, token: str | None = None
) -> FastAPI:
    """The application.

    Args:
        verifier: Answers; with one thread, as there are several of it.
        limits: What it accepts.
        token: What ``Authorization: Bearer`` must say, None for no check.
    """
    limits = limits or Limits()
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.batcher = Batcher(verifier)
        yield
        batcher, app.state.batcher = app.state.batcher, None
        await asyncio.to_thread(batcher.close)

    app = FastAPI(
        title="Faunacheck",
        summary="Does the picture show the animal that the text names?",
        description=__doc__.split("\n\n", 1)[1],
        version="1",
        lifespan=lifespan,
        docs_url=None,  # these pages would load scripts from elsewhere
        redoc_url=None,
    )
    app.state.batcher = None
    app.add_middleware(Observed, metrics=metrics)
    app.add_middleware(Gate, limits=limits, token=token)
    app.add_exception_handler(StarletteError, lambda _, error: error_response(error))
    app.add_exception_handler(
        RequestValidationError, lambda _, error: error_response(_as_422(error))
    )

    def batcher() -> Batcher:
        if app.state.batcher is None:
            raise HTTPException(503, "not ready", {"Retry-After": "1"})
        return app.state.batcher

    @app.post("/v1/verify", responses=_documented(EXAMPLE, *ERRORS), tags=["answers"])
    async def verify(
        text: Annotated[list[str], Form(description="What is said about the photo.")],
        image: Annotated[list[UploadFile], File(description="The photo.")],
    ) -> JSONResponse:
        """Does each photo show the animal that its text names?"""
        if len(text) != len(image):
            raise HTTPException(422, f"{len(text)} texts and {len(image)} images; expected as many")
        if len(text) > limits.max_pairs:
            raise HTTPException(413, f"{len(text)} pairs; at most {limits.max_pairs} in a request")
        if (longest := max(map(len, text))) > limits.max_text:
            raise HTTPException(
                413, f"a text of {longest:,} characters; at most {limits.max_text:,}"
            )
        photos = [await upload.read() for upload in image]
        errors = await asyncio.to_thread(
            lambda: [_photo_error(photo, limits.max_pixels) for photo in photos]
        )
        good = [pair for *pair, error in zip(text, photos, errors, strict=True) if not error]
        futures = [asyncio.wrap_future(future) for future in batcher().submit(good)]
        try:
            async with asyncio.timeout(limits.timeout):
                answered = iter(await asyncio.gather(*futures))
        except TimeoutError:
            message = f"not answered within {limits.timeout:g} s"
            raise HTTPException(503, message, {"Retry-After": "5"}) from None
        answers = [
            Answer(said, None, error=error) if error else next(answered)
            for said, error in zip(text, errors, strict=True)
        ]
        for answer in answers:
            metrics.answers.labels("error" if answer.error else answer.answer.lower()).inc()
        rows = [answer.to_json() for answer in answers]
        if len(rows) == 1:
            return JSONResponse(rows[0], 422 if rows[0]["error"] else 200)
        return JSONResponse(rows)

    @app.get(
        "/v1/animals", responses=_documented({"cow": ["cow", "calf"]}, 401, 429), tags=["answers"]
    )
    async def animals() -> dict[str, list[str]]:
        """Every class with the names it answers to."""
        return verifier.animals()

    @app.get("/healthz", tags=["operation"])
    async def healthz() -> dict[str, str]:
        """The process is alive."""
        return {"status": "alive"}

    @app.get("/readyz", responses=_documented({"status": "ready"}, 503), tags=["operation"])
    async def readyz() -> dict[str, str]:
        """The models are loaded."""
        batcher()
        return {"status": "ready"}

    @app.get("/metrics", response_class=PlainTextResponse, tags=["operation"])
    async def prometheus() -> PlainTextResponse:
        """Figures for Prometheus."""
        text = exposition(metrics.registry)
        return PlainTextResponse(text, headers={"Content-Type": CONTENT_TYPE_LATEST})

    return app


class Observed:
    """ASGI middleware: a log line and metrics for each request, without its text and photos.

    Args:
        app: What it observes.
        metrics: What it adds to.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics):
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and note how it went."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status, started, number = 500, time.monotonic(), uuid.uuid4().hex

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", number.encode())]
            await send(message)

        with self.metrics.at_work.track_inprogress():
            try:
                await self.app(scope, receive, noted)
            finally:
                seconds = time.monotonic() - started
                route = scope.get("route")  # not what the client wrote: that may be anything
                path = route.path if route else "other"
                self.metrics.requests.labels(path, str(status)).inc()
                self.metrics.seconds.labels(path).observe(seconds)
                row = {"request": number, "method": scope["method"], "path": path}
                log.info(json.dumps(row | {"status": status, "ms": round(seconds * 1000)}))


def _as_422(error: RequestValidationError) -> HTTPException:
    """What is wrong with a form, in a line."""
    rows = []
    for row in error.errors():
        name = ".".join(str(part) for part in row["loc"] if part != "body")
        rows.append(f"{name}: {row['msg']}")
    return HTTPException(422, "; ".join(rows))


def _documented(example: Any, *codes: int) -> dict[int | str, dict[str, Any]]:
    """The responses of a route for its OpenAPI description."""
    schema = {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]}
    errors = {
        code: {"description": ERRORS[code], "content": {"application/json": {"schema": schema}}}
        for code in codes
    }
    return {200: {"content": {"application/json": {"example": example}}}} | errors


def _photo_error(photo: bytes, max_pixels: int) -> str | None:
    """Why a photo is not even tried, None if it is."""
    try:
        with Image.open(BytesIO(photo), formats=FORMATS) as image:
            if image.width * image.height > max_pixels:
                return f"the image: more than {max_pixels:,} pixels"
    except Image.DecompressionBombError:
        return f"the image: more than {max_pixels:,} pixels"
    except (OSError, ValueError, SyntaxError, EOFError):  # what Pillow's decoders raise
        return "the image: not an image that can be read"
    return None
