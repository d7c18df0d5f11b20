"""The page: drop a photo, type a sentence, see the answer and why.

    pip install -r requirements-page.txt
    python app.py                            # then open http://127.0.0.1:7860

It is served to this machine alone, and asks no other host for anything.
"""

import os
import sys

from common.cli import ArgumentParser, run
from common.errors import InputError
from engine.options import add_address, add_models


def get_args_parser() -> ArgumentParser:
    """The command line."""
    parser = ArgumentParser(__doc__)
    add_address(parser, 7860)
    add_models(parser)
    return parser


def main() -> int:
    """Serve until SIGTERM or SIGINT."""
    args = get_args_parser().parse_args()
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    try:
        import gradio
        import uvicorn
        from fastapi import FastAPI
    except ImportError as error:
        raise InputError(f"needs {error.name}; pip install -r requirements-page.txt") from error
    from engine.verifier import Verifier
    from web.page import CSS, THEME, Offline, make_page

    page = make_page(Verifier.load(args.classifier_model, args.ner_model, "any", args.device))
    app = gradio.mount_gradio_app(FastAPI(), page, "/", css=CSS, theme=THEME)
    app.add_middleware(Offline)
    print(f"http://{args.host}:{args.port}", file=sys.stderr)
    uvicorn.run(app, host=args.host, port=args.port, log_level="warning")
    return 0


if __name__ == "__main__":
    run(main)
