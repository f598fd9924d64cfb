"""What emulator.py runs: the emulator's process, raw clients over HTTP/1.1 and HTTP/2, and a receiver of deliveries.

Google's clients take as much processor time as the emulator, so that they would be what is measured. Requests are made
ahead, with the messages of the official packages.
"""

import asyncio
import collections
import contextlib
import datetime
import itertools
import json
import multiprocessing
import os
import pathlib
import re
import struct
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from google.cloud import tasks_v2
from google.cloud.firestore_v1.types import firestore
from google.protobuf import json_format

LOCATION = "projects/p/locations/l"
# A queue dispatches 500 tasks a second at most.
QUEUES = [f"{LOCATION}/queues/q{number}" for number in range(40)]
# How many calls are in flight, and how many of them share a connection of HTTP/2.
LANES = 32
LANES_A_CONNECTION = 16


class Method(NamedTuple):
    """A method of a service, over both transports."""

    service: str
    verb: str
    path: str
    message: Any


TASKS, FIRESTORE = "google.cloud.tasks.v2.CloudTasks", "google.firestore.v1.Firestore"
METHODS = {
    "CreateTask": Method(TASKS, "POST", "/v2/{parent}/tasks", tasks_v2.CreateTaskRequest),
    "GetTask": Method(TASKS, "GET", "/v2/{name}", tasks_v2.GetTaskRequest),
    "Commit": Method(FIRESTORE, "POST", "/v1/{database}/documents:commit", firestore.CommitRequest),
    "RunQuery": Method(FIRESTORE, "POST", "/v1/{parent}:runQuery", firestore.RunQueryRequest),
    "Listen": Method(FIRESTORE, "POST", "", firestore.ListenRequest),
}


def request(transport: str, name: str, fields: dict) -> bytes | tuple[bytes, bytes]:
    """Returns the bytes of a request over HTTP/1.1; over gRPC, those of its header block and of its message."""
    method = METHODS[name]
    if transport == "grpc":
        message = json_format.ParseDict(fields, method.message.pb()()).SerializeToString()
        return header_block(f"/{method.service}/{name}"), b"\0" + struct.pack(">I", len(message)) + message
    inside = {key: value for key, value in fields.items() if f"{{{key}}}" not in method.path}
    body = json.dumps(inside).encode() if inside else b""
    kind = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
    return f"{method.verb} {method.path.format(**fields)} HTTP/1.1\r\nHost: 127.0.0.1\r\n{kind}\r\n".encode() + body


def header_block(path: str) -> bytes:
    """Returns the headers of a gRPC call in HPACK, literally."""

    def text(value: str) -> bytes:
        return bytes([len(value)]) + value.encode()

    kind = b"\x0f\x10" + text("application/grpc")
    return b"\x83\x86\x04" + text(path) + b"\x01" + text("127.0.0.1") + kind + b"\0" + text("te") + text("trailers")


# MARK: Connections


class RestConnection(asyncio.Protocol):
    """A connection of HTTP/1.1, with one call at a time."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport, self.parts, self.size, self.need = transport, [], 0, 0

    def call(self, request: bytes) -> asyncio.Future:
        """Returns the body of the answer; None for a failure."""
        self.answer = asyncio.get_running_loop().create_future()
        if self.transport.is_closing():
            self.answer.set_result(None)
        else:
            self.transport.write(request)
        return self.answer

    def data_received(self, data: bytes) -> None:
        self.parts.append(data)
        self.size += len(data)
        if not self.need:
            head, end, _ = b"".join(self.parts).partition(b"\r\n\r\n")
            if not end:
                return
            length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
            self.need = len(head) + 4 + int(length[1]) if length else sys.maxsize
        if self.size < self.need and not (self.need == sys.maxsize and data.endswith(b"\r\n0\r\n\r\n")):
            return
        head, _, body = b"".join(self.parts).partition(b"\r\n\r\n")
        self.parts, self.size, self.need = [], 0, 0
        self.answer.set_result(body if head.startswith(b"HTTP/1.1 200") else None)

    def connection_lost(self, error: Exception | None) -> None:
        if hasattr(self, "answer") and not self.answer.done():
            self.answer.set_result(None)


class GrpcConnection(asyncio.Protocol):
    """A connection of HTTP/2, with as many calls as are made."""

    WINDOW = 2**31 - 1
    DATA, HEADERS, RESET, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport, self.buffer, self.taken = transport, b"", 0
        self.numbers = itertools.count(1, 2)
        self.streams: dict[int, list] = {}
        settings = self.frame(self.SETTINGS, 0, 0, struct.pack(">HIHI", 2, 0, 4, self.WINDOW))
        window = self.frame(self.WINDOW_UPDATE, 0, 0, struct.pack(">I", self.WINDOW - 65_535))
        transport.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + settings + window)

    @staticmethod
    def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
        return struct.pack(">IBI", len(payload) << 8 | kind, flags, stream) + payload

    def call(self, request: tuple[bytes, bytes]) -> asyncio.Future:
        """Returns the last message of the answer; None for a failure."""
        answer = asyncio.get_running_loop().create_future()
        if self.transport.is_closing():
            answer.set_result(None)
        else:
            self.open(request, None, lambda message: answer.done() or answer.set_result(message), 1)
        return answer

    def open(self, request: tuple[bytes, bytes], on_message: Callable | None, on_end: Callable, flags: int = 0) -> None:
        """Begins a call, which is told each message, and at its end the last one."""
        number = next(self.numbers)
        self.streams[number] = [b"", None, on_message, on_end]
        head, message = request
        self.transport.write(self.frame(self.HEADERS, 4, number, head) + self.frame(self.DATA, flags, number, message))

    def data_received(self, data: bytes) -> None:
        buffer, place = self.buffer + data if self.buffer else data, 0
        while len(buffer) - place >= 9:
            size, flags, number = struct.unpack_from(">IBI", buffer, place)
            kind, size = size & 0xFF, size >> 8
            if len(buffer) - place < 9 + size:
                break
            self.received(kind, flags, number, buffer[place + 9 : place + 9 + size])
            place += 9 + size
        self.buffer = buffer[place:]

    def received(self, kind: int, flags: int, number: int, payload: bytes) -> None:
        """Handles a frame."""
        if kind == self.DATA:
            self.taken += len(payload)
            if self.taken > 2**24:
                self.transport.write(self.frame(self.WINDOW_UPDATE, 0, 0, struct.pack(">I", self.taken)))
                self.taken = 0
            stream = self.streams[number]
            payload, place = stream[0] + payload if stream[0] else payload, 0
            while len(payload) - place >= 5:
                end = place + 5 + struct.unpack_from(">I", payload, place + 1)[0]
                if len(payload) < end:
                    break
                stream[1], place = payload[place + 5 : end], end
                if stream[2]:
                    stream[2](stream[1])
            stream[0] = payload[place:]
        elif (kind == self.HEADERS and flags & 1) or kind == self.RESET:
            if stream := self.streams.pop(number, None):
                stream[3](stream[1] if kind == self.HEADERS else None)
        elif kind in (self.SETTINGS, self.PING) and not flags & 1:
            self.transport.write(self.frame(kind, 1, 0, payload if kind == self.PING else b""))

    def connection_lost(self, error: Exception | None) -> None:
        for stream in self.streams.values():
            stream[3](None)


async def connect(server: "Server", transport: str, count: int) -> list:
    """Opens connections."""
    kind = GrpcConnection if transport == "grpc" else RestConnection
    loop = asyncio.get_running_loop()
    return [(await loop.create_connection(kind, "127.0.0.1", server.port))[1] for _ in range(count)]


class Calls(NamedTuple):
    """What came of calls."""

    begin: float
    end: float
    seconds: list[float]
    failures: int

    @property
    def per_second(self) -> float:
        return len(self.seconds) / (self.end - self.begin)


async def run(server: "Server", transport: str, requests: Iterable, lanes: int = LANES, rate: float = 0) -> Calls:
    """Makes calls one after the other on each lane, at a rate if one is given."""
    connections = await connect(server, transport, lanes if transport == "rest" else -(-lanes // LANES_A_CONNECTION))
    rest, seconds, failures, begin = iter(requests), [], 0, time.time()
    slots = itertools.count()

    async def lane(connection: RestConnection | GrpcConnection) -> None:
        nonlocal failures
        while True:
            if rate:
                await asyncio.sleep(max(0, begin + next(slots) / rate - time.time()))
            each = next(rest, None)
            if each is None:
                return
            start = time.time()
            failures += await connection.call(each) is None
            seconds.append(time.time() - start)

    await asyncio.gather(*(lane(connections[number % len(connections)]) for number in range(lanes)))
    end = time.time()
    for connection in connections:
        connection.transport.close()
    return Calls(begin, end, seconds, failures)


# MARK: Processes


class Server:
    """A process of the emulator with its state in memory."""

    def __init__(self, binary: pathlib.Path) -> None:
        self.process = subprocess.Popen([binary, "emulator", "--port", "0"], stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().split()[-1]
        self.port = int(self.url.rsplit(":", 1)[1])

    def post(self, path: str, body: dict | None) -> Any:
        """Makes a call over REST, with GET where there is no body."""
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(self.url + path, data), timeout=120) as answer:
            return json.load(answer)

    def cpu(self) -> float:
        """Returns the processor time that was taken so far, in seconds."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> float:
        """Returns the resident memory, in MiB."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1_024

    def make_queues(self) -> None:
        for name in QUEUES:
            limits = {"maxDispatchesPerSecond": 500, "maxConcurrentDispatches": 5_000}
            self.post(f"/v2/{LOCATION}/queues", {"name": name, "rateLimits": limits})


@contextlib.contextmanager
def emulator(binary: pathlib.Path) -> Iterator[Server]:
    """Starts an emulator; ends it."""
    server = Server(binary)
    try:
        yield server
    finally:
        server.process.kill()
        server.process.wait()
        server.process.stdout.close()


class Delivery(asyncio.Protocol):
    """A connection to the sink, whose requests have no bodies."""

    def __init__(self, arrivals: list) -> None:
        self.arrivals, self.buffer = arrivals, b""

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        *requests, self.buffer = (self.buffer + data).split(b"\r\n\r\n")
        for each in requests:
            # The path is a task's due time in microseconds.
            due = each.split(b" ", 2)[1][1:]
            names = re.findall(rb"(?i)\r\nx-cloudtasks-(?:queuename|taskname): *(\S+)", each)
            self.arrivals.append((b"/".join(sorted(names)).decode(), int(due) / 1e6, time.time()))
            self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


def serve_deliveries(pipe: Any) -> None:
    """Runs the sink in a process of its own: answers with its port, then with the number of arrivals or with all."""

    async def serve() -> None:
        loop, done, arrivals = asyncio.get_running_loop(), asyncio.Event(), []
        server = await loop.create_server(lambda: Delivery(arrivals), "127.0.0.1", 0, backlog=1_024)
        pipe.send(server.sockets[0].getsockname()[1])

        def answer() -> None:
            try:
                question = pipe.recv()
            except EOFError:
                return done.set()
            pipe.send(len(arrivals) if question == "count" else arrivals)
            if question == "take":
                arrivals.clear()

        loop.add_reader(pipe.fileno(), answer)
        await done.wait()

    asyncio.run(serve())


class Sink:
    """What receives deliveries, as the measuring program sees it."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, other = context.Pipe()
        self.process = context.Process(target=serve_deliveries, args=(other,), daemon=True)
        self.process.start()
        other.close()
        self.port = self.pipe.recv()

    def task(self, transport: str, number: int, due: float = 0, prefix: str = "t") -> Any:
        """Returns the request that creates a task for a time, or for now."""
        target = {"url": f"http://127.0.0.1:{self.port}/{round(due * 1e6)}", "httpMethod": "GET"}
        queue = QUEUES[number % len(QUEUES)]
        task = {"name": f"{queue}/tasks/{prefix}{number}", "httpRequest": target}
        if due:
            task["scheduleTime"] = datetime.datetime.fromtimestamp(due, datetime.timezone.utc).isoformat()
        return request(transport, "CreateTask", {"parent": queue, "task": task})

    async def take(self, server: Server, count: int, faults: list[str], prefix: str = "t") -> list[tuple]:
        """Waits for deliveries of that many tasks, and looks whether each came once."""
        await self.until(count)
        server.post("/_emulator/idle?timeout=10s", None)
        # One more of the same would come at once.
        await asyncio.sleep(0.3)
        arrivals = await self.ask("take")
        found = collections.Counter(name for name, _, _ in arrivals)
        wanted = {f"{QUEUES[number % len(QUEUES)].rpartition('/')[2]}/{prefix}{number}" for number in range(count)}
        if lost := wanted - found.keys():
            faults.append(f"{len(lost)} tasks were not delivered, such as {min(lost)}")
        if twice := [name for name, times in found.items() if times > 1 or name not in wanted]:
            faults.append(f"{len(twice)} tasks were delivered twice or are not known, such as {min(twice)}")
        return arrivals

    async def until(self, count: int) -> None:
        """Waits for that many deliveries, but not for ever."""
        limit = time.time() + 60 + count / 100
        while await self.ask("count") < count and time.time() < limit:
            await asyncio.sleep(0.05)

    async def ask(self, question: str) -> Any:
        self.pipe.send(question)
        return await asyncio.to_thread(self.pipe.recv)
