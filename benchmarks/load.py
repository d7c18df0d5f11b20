"""The HTTP service under load: throughput and latency by clients, and ten times what it carries.

    python benchmarks/load.py                        # starts service.py on a free port
    python benchmarks/load.py --overload-seconds 60

Each of 1, 8 and 64 clients asks about one photo after the other. Prints, as Markdown, requests a
second and p50, p95 and p99, beside the pairs a second of the batch engine on the same pairs. Then
requests come at ten times the best of these rates, each at its time, whatever became of those
before it: how many were answered and refused, how long each took from the time it was due, and
the service's memory before and after. The clients need a share of the same cores.
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
OVERLOAD = 10  # times the requests a second that it carries
HOST = "127.0.0.1"
BOUNDARY = "faunacheck-benchmark"

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def get_args_parser() -> ArgumentParser:
    """The command line."""
    parser = ArgumentParser(__doc__)
    parser.add_data("animals", "a folder of photos")
    parser.add_argument("--overload-seconds", type=float, default=60, help="of overload (60)")
    return parser


@contextmanager
def served(*arguments: str) -> Iterator[tuple[int, int]]:
    """The service in a process of its own: its port and process number.

    Raises:
        InputError: If it does not start.
    """
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, ROOT / "service.py", "--port", str(port), *arguments],
        stderr=subprocess.DEVNULL,
    )
    try:
        while True:
            try:
                socket.create_connection((HOST, port)).close()
                break
            except OSError:
                if process.poll() is not None:
                    raise InputError("service.py does not start") from None
                time.sleep(0.1)
        yield port, process.pid
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
    """Requests and how long they took, by status; 0 is one without a response.

    It writes and reads HTTP/1.1 by itself, as a client that does more would take the cores from the
    service.

    Args:
        port: Of the service, on this machine.
        pairs: Text and the bytes of a photo, asked about in turn.
    """

    def __init__(self, port: int, pairs: list[tuple[str, bytes]]):
        self.port = port
        self.requests = cycle([_request(text, photo) for text, photo in pairs])
        self.seconds: dict[int, list[float]] = {}
        self.idle: list[Connection] = []

    async def ask(self, due: float) -> None:
        """One request, which was due at a time of `time.perf_counter`."""
        status = 0
        try:
            reader, writer = connection = await self._connection()
            writer.write(next(self.requests))
            head = await reader.readuntil(b"\r\n\r\n")
            fields = head.decode("latin-1").lower().split("\r\n")
            length = next(f for f in fields if f.startswith("content-length:")).split(":")[1]
            await reader.readexactly(int(length))
            status = int(fields[0].split()[1])
            self.idle.append(connection)
        except (OSError, EOFError):  # refused, reset, or closed before the response
            pass
        self.seconds.setdefault(status, []).append(time.perf_counter() - due)

    async def _connection(self) -> Connection:
        """One that is free and that the service has not closed for being idle, else a new one."""
        while self.idle:
            if not (connection := self.idle.pop())[0].at_eof():
                return connection
        return await asyncio.open_connection(HOST, self.port)

    async def closed(self, clients: int, requests: int) -> float:
        """So many clients, each with one request at a time; returns seconds."""
        left = iter(range(requests))

        async def work() -> None:
            for _ in left:
                await self.ask(time.perf_counter())

        started = time.perf_counter()
        await asyncio.gather(*(work() for _ in range(clients)))
        seconds = time.perf_counter() - started
        self._hang_up()
        return seconds

    async def open(self, rate: float, seconds: float) -> None:
        """So many requests a second, whatever becomes of them."""
        started = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            for number in range(round(rate * seconds)):
                due = started + number / rate
                if (early := due - time.perf_counter()) > 0:
                    await asyncio.sleep(early)
                tasks.create_task(self.ask(due))
        self._hang_up()

    def _hang_up(self) -> None:
        while self.idle:
            self.idle.pop()[1].close()


def _request(text: str, photo: bytes) -> bytes:
    """A form with a text and a photo, as it goes over the wire."""
    part = '--{0}\r\nContent-Disposition: form-data; name="{1}"{2}\r\n\r\n'.format
    body = part(BOUNDARY, "text", "").encode() + text.encode() + b"\r\n"
    body += part(BOUNDARY, "image", '; filename="photo.jpg"').encode() + photo
    body += f"\r\n--{BOUNDARY}--\r\n".encode()
    head = (
        f"POST /v1/verify HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {len(body)}\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n"
    )
    return head.encode() + body


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
    rows, best = [], 0.0
    with served("--max-requests", str(max(CLIENTS))) as (port, _):
        asyncio.run(Load(port, pairs).closed(8, 64))
        for clients in CLIENTS:
            load = Load(port, pairs)
            carried = REQUESTS / asyncio.run(load.closed(clients, REQUESTS))
            if list(load.seconds) != [200]:
                raise InputError(f"{clients} clients: {Counter(load.seconds)} instead of 200 alone")
            best = max(best, carried)
            row = (clients, f"{carried:.0f}", f"{carried / rate:.0%}")
            rows.append((*row, *percentiles(load.seconds[200])))
    heads = ("clients", "requests/s", "of the engine", "p50 ms", "p95 ms", "p99 ms")
    print_table(heads, rows)
    with served() as (port, process):
        load = Load(port, pairs)
        asyncio.run(load.closed(Limits().max_requests, REQUESTS))  # what it needs at its limit
        load.seconds.clear()
        before = memory(process)
        asyncio.run(load.open(OVERLOAD * best, args.overload_seconds))
        after = memory(process)
    print(
        f"\n{OVERLOAD * best:.0f} requests a second for {args.overload_seconds:.0f} s;"
        f" memory {before:.0f} MB before, {after:.0f} MB after\n"
    )
    print_table(
        ("status", "requests", "p50 ms", "p95 ms", "p99 ms"),
        [(s or "none", len(t), *percentiles(t)) for s, t in sorted(load.seconds.items())],
    )
    return 0


if __name__ == "__main__":
    run(main)
