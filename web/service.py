"""The HTTP service: pairs in, the JSON of the command out.

``POST /v1/verify`` takes a form (multipart) with a part ``text`` and a part ``image`` for each
pair. One pair is answered with one object, or with 422 if it has no answer; several with a list, in
which a pair without an answer carries its error. Photos come in the request alone: no path and no
address in it is ever opened.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from io import BytesIO
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, File, Form, HTTPException, Request, UploadFile
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from PIL import Image
from prometheus_client import CONTENT_TYPE_LATEST
from prometheus_client import generate_latest as exposition
from starlette.exceptions import HTTPException as StarletteError

from common.images.load import FORMATS
from engine.verifier import Verifier
from web.batcher import Batcher
from web.limits import Limits
from web.metrics import Metrics
from web.middleware import AccessLogMiddleware, AdmissionMiddleware, HostMiddleware, error_response

EXAMPLE = json.loads("""
{"text": "There is a cow, but no dog.", "image": null,
 "verdict": true, "answer": "True", "reason": "NAMED_ANIMAL_FOUND",
 "explanation": "cow 0.98; dog absent (0.00)",
 "claims": [{"mention": "cow", "start": 11, "end": 14, "animal": "cow", "negated": false,
             "cue": null, "probability": 0.98, "holds": true},
            {"mention": "dog", "start": 23, "end": 26, "animal": "dog", "negated": true,
             "cue": "no", "probability": 0.0, "holds": true}],
 "prediction": {"label": "cow", "probability": 0.98, "known": true,
                "concept": {"name": "cow", "probability": 0.98},
                "top": [["cow", 0.98], ["ox", 0.01]]},
 "error": null}
""")
ERRORS = {
    400: "a form that cannot be read, or another host name",
    401: "no token, or a wrong one",
    403: "sent by a page of another site",
    413: "a body, a text or a photo that is too large, or too many pairs",
    422: "a part is missing, or the pair has no answer",
    429: "too many requests; Retry-After says when to try again",
    500: "a defect",
    503: "not answered in time, or stopping",
}

router = APIRouter()


def create_app(
    verifier: Verifier,
    limits: Limits | None = None,
    token: str | None = None,
    hosts: Sequence[str] = ("*",),
) -> FastAPI:
    """Return the application.

    Args:
        verifier: Answers pairs, on one thread: the application runs several at a time.
        limits: What a request may cost.
        token: The value that ``Authorization: Bearer`` must carry, None for no check.
        hosts: Host names to answer to, ``*`` for any.
    """
    app = FastAPI(
        title="Faunacheck",
        summary="Does the picture show the animal that the text names?",
        description=__doc__.split("\n\n", 1)[1],
        version="1",
        lifespan=_lifespan,
        docs_url=None,  # these pages would load scripts from elsewhere
        redoc_url=None,
        exception_handlers={StarletteError: _refused, RequestValidationError: _misread},
    )
    state = app.state
    state.verifier, state.limits, state.metrics = verifier, limits or Limits(), Metrics()
    state.batcher = None
    app.include_router(router)
    described = app.openapi()["paths"]["/v1/verify"]["post"]["responses"]["200"]["content"]
    described["application/json"]["example"] = EXAMPLE  # FastAPI would leave out what is null
    # The last added sees a request first: what is refused is logged, too.
    app.add_middleware(AdmissionMiddleware, limits=state.limits, token=token)
    app.add_middleware(HostMiddleware, hosts=hosts)
    paths = [route.path for route in router.routes]
    app.add_middleware(AccessLogMiddleware, metrics=state.metrics, paths=paths)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.batcher = Batcher(app.state.verifier)
    yield
    batcher, app.state.batcher = app.state.batcher, None
    await asyncio.to_thread(batcher.close)


def _batcher(request: Request) -> Batcher:
    if request.app.state.batcher is None:
        raise HTTPException(503, "not ready", {"Retry-After": "1"})
    return request.app.state.batcher


def _errors(*codes: int) -> dict[int | str, dict[str, Any]]:
    """Return the responses of a route that are errors, for its OpenAPI description."""
    schema = {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]}
    content = {"application/json": {"schema": schema}}
    return {code: {"description": ERRORS[code], "content": content} for code in codes}


@router.post("/v1/verify", responses=_errors(*ERRORS), tags=["answers"])
async def verify(
    request: Request,
    text: Annotated[list[str], Form(description="What is said about the photo.")],
    image: Annotated[list[UploadFile], File(description="The photo.")],
) -> JSONResponse:
    """Does each photo show the animal that its text names?"""
    state = request.app.state
    _check_sizes(text, image, state.limits)
    photos = [await upload.read() for upload in image]
    errors = await asyncio.to_thread(
        lambda: [_photo_error(photo, state.limits.max_pixels) for photo in photos]
    )
    good = [pair for *pair, error in zip(text, photos, errors, strict=True) if not error]
    futures = [asyncio.wrap_future(future) for future in _batcher(request).submit(good)]
    answered = iter(await asyncio.gather(*futures))
    rows = [
        (state.verifier.failure(said, None, error) if error else next(answered)).to_json()
        for said, error in zip(text, errors, strict=True)
    ]
    for row in rows:
        state.metrics.answers.labels("error" if row["error"] else row["answer"].lower()).inc()
    if len(rows) > 1:
        return JSONResponse(rows)
    if rows[0]["error"]:
        raise HTTPException(422, rows[0]["error"])
    return JSONResponse(rows[0])


@router.get("/v1/animals", responses=_errors(400, 401, 429, 500), tags=["answers"])
async def animals(request: Request) -> dict[str, list[str]]:
    """Every class with the names it answers to."""
    return request.app.state.verifier.animals()


@router.head("/healthz", include_in_schema=False)
@router.get("/healthz", tags=["operation"])
async def healthz() -> dict[str, str]:
    """The process is alive."""
    return {"status": "alive"}


@router.head("/readyz", include_in_schema=False)
@router.get("/readyz", responses=_errors(503), tags=["operation"])
async def readyz(request: Request) -> dict[str, str]:
    """The models are loaded."""
    _batcher(request)
    return {"status": "ready"}


@router.get("/metrics", response_class=PlainTextResponse, tags=["operation"])
async def metrics(request: Request) -> PlainTextResponse:
    """Metrics for Prometheus."""
    text = exposition(request.app.state.metrics.registry)
    return PlainTextResponse(text, headers={"Content-Type": CONTENT_TYPE_LATEST})


def _check_sizes(texts: list[str], images: list[UploadFile], limits: Limits) -> None:
    if len(texts) != len(images):
        raise HTTPException(422, f"{len(texts)} texts and {len(images)} images; expected as many")
    if len(texts) > limits.max_pairs:
        raise HTTPException(413, f"{len(texts)} pairs; at most {limits.max_pairs} in a request")
    if (longest := max(map(len, texts))) > limits.max_text:
        raise HTTPException(413, f"a text of {longest:,} characters; at most {limits.max_text:,}")


def _refused(_: Request, error: StarletteError) -> JSONResponse:
    return error_response(error.status_code, error.detail, error.headers)


def _misread(_: Request, error: RequestValidationError) -> JSONResponse:
    """Return what is wrong with a form, in a line."""
    rows = []
    for row in error.errors():
        name = ".".join(str(part) for part in row["loc"] if part != "body")
        rows.append(f"{name}: {row['msg']}")
    return error_response(422, "; ".join(rows))


def _photo_error(photo: bytes, max_pixels: int) -> str | None:
    """Return why a photo is refused unread, None if it is not."""
    try:
        with Image.open(BytesIO(photo), formats=FORMATS) as image:
            if image.width * image.height > max_pixels:
                return f"the image: more than {max_pixels:,} pixels"
    except Image.DecompressionBombError:
        return f"the image: more than {max_pixels:,} pixels"
    except MemoryError:
        raise
    except Exception:  # Pillow's decoders raise what they like
        return "the image: not an image that can be read"
    return None
