"""The HTTP service: `POST /v1/verify` with a text and a photo.

    pip install -r requirements-service.txt
    python service.py --port 8000
    curl -F text="There is a cow." -F image=@photo.jpg http://127.0.0.1:8000/v1/verify

answers with the JSON of ``pipeline.py --format json``. ``/v1/animals`` lists the classes,
``/healthz`` and ``/readyz`` are for a supervisor, ``/metrics`` for Prometheus, ``/openapi.json``
describes it all. With the environment variable ``FAUNACHECK_TOKEN`` set, requests need
``Authorization: Bearer TOKEN``. A line of JSON on stderr for each request has neither text nor
photo. On SIGTERM it answers what it took, then ends.
"""

import json
import logging
import os
import sys

from common.cli import ArgumentParser, run
from common.config import add_options, from_args
from common.errors import InputError
from engine.options import add_models
from web.limits import Limits
from web.server import add_address, allowed_hosts, listen


def get_args_parser() -> ArgumentParser:
    """The command line; the limits are those of `web.limits.Limits`."""
    parser = ArgumentParser(__doc__)
    add_address(parser, 8000)
    add_models(parser)
    add_options(parser, Limits)
    return parser


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    args = get_args_parser().parse_args()
    limits = from_args(Limits, args)
    try:
        import uvicorn

        from web.service import create_app
    except ModuleNotFoundError as error:
        raise InputError(f"needs {error.name}; pip install -r requirements-service.txt") from error
    from engine.verifier import Verifier

    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logging.getLogger("faunacheck").setLevel(logging.INFO)
    # Opened before the port is, so that bad models are one line.
    verifier = Verifier.load(args.classifier_model, args.ner_model, "any", args.device, threads=1)
    token = os.environ.get("FAUNACHECK_TOKEN")
    listener, url = listen(args)
    print(json.dumps({"listening": url}), file=sys.stderr, flush=True)
    config = uvicorn.Config(
        create_app(verifier, limits, token, allowed_hosts(args)),
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=round(limits.timeout) + 1,
    )
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    run(main)
