"""The HTTP service under load: throughput and latency by clients, and far more than it can carry.

    python benchmarks/load.py                        # starts service.py on a free port
    python benchmarks/load.py --overload-seconds 60

Each client asks about one photo after the other. Prints, as Markdown, requests a second and p50,
p95 and p99 at 1, 8 and 64 clients, beside the pairs a second of the batch engine on the same pairs;
then what happens when ten times as many clients ask as it lets in, each again at once after a
refusal: how many were answered and refused, how long each took, and its memory before and after.
"""

import asyncio
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np

from benchmarks.measure import TEXTS, find_photos, machine, print_table
from common.cli import ArgumentParser, run
from common.errors import InputError
from common.paths import ROOT
from web.limits import Limits

CLIENTS = (1, 8, 64)
REQUESTS = 400  # for each number of clients
OVERLOAD = 10  # times as many clients as it lets in


def get_args_parser() -> ArgumentParser:
    """The command line."""
    parser = ArgumentParser(__doc__)
    parser.add_data("animals", "a folder of photos")
    parser.add_argument("--overload-seconds", type=float, default=60, help="of overload (60)")
    return parser


@contextmanager
def served(*arguments: str) -> Iterator[tuple[str, int]]:
    """The service in a process of its own: its address and process number.

    Raises:
        InputError: If it does not start.
    """
    import httpx

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, ROOT / "service.py", "--port", str(port), *arguments],
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                httpx.get(f"{address}/readyz")
                break
            except httpx.TransportError:
                if process.poll() is not None:
                    raise InputError("service.py does not start") from None
                time.sleep(0.1)
        yield address, process.pid
        if process.poll() is not None:
            raise InputError("service.py has stopped")
    finally:
        process.terminate()
        process.wait()


def memory(process: int) -> float:
    """Resident megabytes of a process."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return float("nan")


class Load:
    """Requests and how long they took, by status.

    Args:
        address: Of the service.
        pairs: Text and the bytes of a photo, asked about in turn.
    """

    def __init__(self, address: str, pairs: list[tuple[str, bytes]]):
        self.address, self.pairs = address, cycle(pairs)
        self.seconds: dict[int, list[float]] = {}

    async def ask(self, client) -> None:
        """One request; status 0 is one without a response."""
        import httpx

        text, photo = next(self.pairs)
        files = {"text": (None, text), "image": ("photo.jpg", photo)}
        started = time.perf_counter()
        try:
            status = (await client.post("/v1/verify", files=files)).status_code
        except httpx.TransportError:
            status = 0
        self.seconds.setdefault(status, []).append(time.perf_counter() - started)

    def client(self):
        """A client with as many connections as it needs."""
        import httpx

        limits = httpx.Limits(max_connections=None, max_keepalive_connections=256)
        return httpx.AsyncClient(base_url=self.address, limits=limits, timeout=60)

    async def closed(self, clients: int, requests: int) -> float:
        """So many clients, each with one request at a time; returns seconds."""
        left = iter(range(requests))

        async def work(client) -> None:
            for _ in left:
                await self.ask(client)

        async with self.client() as client:
            started = time.perf_counter()
            await asyncio.gather(*(work(client) for _ in range(clients)))
            return time.perf_counter() - started

    async def hammer(self, clients: int, seconds: float) -> None:
        """So many clients that ask again at once, whatever the answer was, until time is over."""
        end = time.perf_counter() + seconds

        async def work(client) -> None:
            while time.perf_counter() < end:
                await self.ask(client)

        async with self.client() as client:
            await asyncio.gather(*(work(client) for _ in range(clients)))


def percentiles(seconds: list[float]) -> list[str]:
    """p50, p95 and p99 in milliseconds."""
    return [f"{np.percentile(seconds, share) * 1000:.0f}" for share in (50, 95, 99)]


def engine_rate(pairs: list[tuple[str, bytes]]) -> float:
    """Pairs a second of the batch engine, warm."""
    from engine.verifier import Verifier

    verifier = Verifier.load()
    list(verifier.verify_many(pairs[:32]))
    started = time.perf_counter()
    list(verifier.verify_many(pairs))
    return len(pairs) / (time.perf_counter() - started)


def main() -> int:
    """Measure and print."""
    args = get_args_parser().parse_args()
    photos = find_photos(args.data, REQUESTS)
    pairs = [
        (f"{text.format('cow', 'dog')} Photo {number}.", photo.read_bytes())
        for number, (photo, text) in enumerate(zip(photos, cycle(TEXTS), strict=False))
    ]
    rate = engine_rate(pairs)
    print(f"{machine()}; the batch engine answers {rate:.0f} of these pairs a second\n")
    rows = []
    with served("--max-requests", str(max(CLIENTS))) as (address, _):
        asyncio.run(Load(address, pairs).closed(8, 64))
        for clients in CLIENTS:
            load = Load(address, pairs)
            seconds = asyncio.run(load.closed(clients, REQUESTS))
            if list(load.seconds) != [200]:
                raise InputError(f"{clients} clients: {Counter(load.seconds)} instead of 200 alone")
            share = f"{REQUESTS / seconds / rate:.0%}"
            rows.append(
                (clients, f"{REQUESTS / seconds:.0f}", share, *percentiles(load.seconds[200]))
            )
    heads = ("clients", "requests/s", "of the engine", "p50 ms", "p95 ms", "p99 ms")
    print_table(heads, rows)
    with served() as (address, process):
        load = Load(address, pairs)
        allowed = Limits().max_requests
        asyncio.run(load.closed(allowed, REQUESTS))  # what it needs at its limit
        load.seconds.clear()
        before = memory(process)
        asyncio.run(load.hammer(OVERLOAD * allowed, args.overload_seconds))
        after = memory(process)
    print(
        f"\n{OVERLOAD * allowed} clients for {args.overload_seconds:.0f} s;"
        f" memory {before:.0f} MB before, {after:.0f} MB after\n"
    )
    print_table(
        ("status", "requests", "p50 ms", "p95 ms", "p99 ms"),
        [(s or "none", len(t), *percentiles(t)) for s, t in sorted(load.seconds.items())],
    )
    return 0


if __name__ == "__main__":
    run(main)
