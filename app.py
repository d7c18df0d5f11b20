"""The page: drop a photo, type a sentence, see the answer and why.

    pip install -r requirements-page.txt
    python app.py                            # then open http://127.0.0.1:7860

It is served to this machine alone by default, and the browser loads nothing from other hosts.
"""

import os
import signal
import sys
import tempfile

from common.cli import ArgumentParser, run
from common.errors import InputError
from engine.options import add_models
from web.server import add_address, allowed_hosts, listen


def get_args_parser() -> ArgumentParser:
    """The command line."""
    parser = ArgumentParser(__doc__)
    add_address(parser, 7860)
    add_models(parser)
    return parser


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    args = get_args_parser().parse_args()
    # What people check lies in a folder of this user's alone, which goes when the page ends.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    folder = tempfile.TemporaryDirectory(prefix="faunacheck-page-")
    os.environ |= {"GRADIO_ANALYTICS_ENABLED": "False", "GRADIO_RUN_HISTORY": "False"}
    os.environ["GRADIO_TEMP_DIR"] = folder.name
    try:
        import uvicorn

        from web.page import make_page, mount
    except ModuleNotFoundError as error:
        raise InputError(f"needs {error.name}; pip install -r requirements-page.txt") from error
    from engine.verifier import Verifier

    page = make_page(Verifier.load(args.classifier_model, args.ner_model, "any", args.device))
    listener, url = listen(args)
    print(url, file=sys.stderr)
    config = uvicorn.Config(mount(page, allowed_hosts(args)), log_level="warning")
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    run(main)
