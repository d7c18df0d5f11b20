"""Where a server listens, and the host names that it answers to."""

import argparse
import socket

from common.cli import ArgumentParser
from common.errors import InputError


def add_address(parser: ArgumentParser, port: int) -> None:
    """Add ``--host``, ``--port`` and ``--allowed-host``."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    parser.add_argument(
        "--port", type=int, default=port, help=f"port to listen on ({port}), 0 for a free one"
    )
    help = "answer to this host name, too; repeatable, * for any"
    parser.add_argument("--allowed-host", action="append", default=[], metavar="NAME", help=help)


def allowed_hosts(args: argparse.Namespace) -> list[str]:
    """Return the host names that requests may carry."""
    return ["127.0.0.1", "localhost", "::1", args.host, *args.allowed_host]


def listen(args: argparse.Namespace) -> tuple[socket.socket, str]:
    """Return a socket on ``--host`` and ``--port``, of which 0 is any free one, and its URL.

    Raises:
        InputError: If the address is not this machine's or is in use.
    """
    family = socket.AF_INET6 if ":" in args.host else socket.AF_INET
    try:
        listener = socket.create_server((args.host, args.port), family=family, backlog=2048)
    except (OSError, OverflowError) as error:
        raise InputError(f"cannot listen on {args.host}, port {args.port}: {error}") from error
    host = f"[{args.host}]" if ":" in args.host else args.host
    return listener, f"http://{host}:{listener.getsockname()[1]}"
