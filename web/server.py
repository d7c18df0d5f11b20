"""Where a server listens, and the host names that it answers to."""

import argparse
import socket

from common.cli import ArgumentParser
from common.errors import InputError

LOCAL = ("127.0.0.1", "localhost", "[::1]")


def add_address(parser: ArgumentParser, port: int) -> None:
    """Add ``--host``, ``--port`` and ``--allowed-host``."""
    parser.add_address(port)
    parser.add_argument(
        "--allowed-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a host name to answer to besides --host and this machine's, repeatable; * for any",
    )


def allowed_hosts(args: argparse.Namespace) -> list[str]:
    """Return the host names that requests may carry, as `HostMiddleware` takes them."""
    return [*LOCAL, _bracketed(args.host), *args.allowed_host]


def listen(args: argparse.Namespace) -> tuple[socket.socket, str]:
    """Open ``--port`` of ``--host``; port 0 takes a free one.

    Returns:
        The socket and its URL.

    Raises:
        InputError: If the address is not this machine's or is in use.
    """
    family = socket.AF_INET6 if ":" in args.host else socket.AF_INET
    try:
        listener = socket.create_server((args.host, args.port), family=family, backlog=2048)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"cannot listen on {args.host}, port {args.port}: {reason}") from error
    return listener, f"http://{_bracketed(args.host)}:{listener.getsockname()[1]}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
