"""A reverse proxy that injects network and service faults by a seed and records every call."""

import collections
import dataclasses
import http.client
import http.server
import json
import random
import re
import socket
import struct
import threading
import time
import urllib.parse

STORE = re.compile(r"/v1/projects/[^/]+/databases/")
CREATE_TASK = re.compile(r"/v2/projects/.+/tasks$")

DELAY = "delay"
QUOTA = "429"
QUOTA_FOR_A_SECOND = "429 with Retry-After"
UNAVAILABLE = "503"
ABORTED = "409"
CUT_BEFORE = "cut before the service"
CUT_AMID = "cut amid the answer"
LOST = "answer lost"
ALL = [DELAY, QUOTA, QUOTA_FOR_A_SECOND, UNAVAILABLE, ABORTED, CUT_BEFORE, CUT_AMID, LOST]

REFUSALS = {
    QUOTA: (429, "RESOURCE_EXHAUSTED", {}),
    QUOTA_FOR_A_SECOND: (429, "RESOURCE_EXHAUSTED", {"Retry-After": "1"}),
    UNAVAILABLE: (503, "UNAVAILABLE", {}),
    ABORTED: (409, "ABORTED", {}),
}


@dataclasses.dataclass
class Call:
    """A call that reached the proxy: its kind, body, injected fault, and the status from the service."""

    kind: str
    body: bytes
    fault: str | None
    status: int | None = None


class FaultProxy:
    """Forwards calls to a service; `store_rate` and `task_rate` are the shares of calls that fail.

    A call's kind is the name of a Firestore method, `tasks` for the creation of a task, or None for any other call,
    which never fails. The fault of the nth call of a kind depends only on the seed, the kind and n; but the creation of
    one task fails twice at most, because after three tries its run waits for the pass a minute later.
    """

    def __init__(self, url, seed=0, store_rate=0.0, task_rate=0.0, faults=()):
        self.seed, self.store_rate, self.task_rate, self.faults = seed, store_rate, task_rate, list(faults)
        self.calls = []
        self.ordinals = collections.Counter()
        self.failed_tasks = collections.Counter()
        self.lock = threading.Lock()
        target = urllib.parse.urlsplit(url)
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self):
                super().setup()
                self.upstream = http.client.HTTPConnection(target.hostname, target.port, timeout=90)
                self.upstream.connect()
                self.upstream.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

            def finish(self):
                self.upstream.close()
                super().finish()

            def pass_on(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                call, draw = proxy.note(self.command, urllib.parse.unquote(urllib.parse.urlsplit(self.path).path), body)
                if call.fault == DELAY:
                    time.sleep(draw.uniform(0.05, 0.4))
                if call.fault in REFUSALS:
                    return self.refuse(*REFUSALS[call.fault])
                if call.fault == CUT_BEFORE:
                    return self.cut(draw)
                names = ("content-type", "authorization")
                self.upstream.request(
                    self.command, self.path, body, {n: v for n, v in self.headers.items() if n.lower() in names}
                )
                response = self.upstream.getresponse()
                content = response.read()
                call.status = response.status
                if call.fault == LOST:
                    return self.cut(draw)
                headers = {"Content-Type": response.headers.get("Content-Type", "application/json")}
                if call.fault == CUT_AMID:
                    whole = self.message(response.status, headers, content)
                    self.wfile.write(whole[: draw.randrange(1, len(whole))])
                    return self.cut()
                self.wfile.write(self.message(response.status, headers, content))

            do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = pass_on

            def message(self, status, headers, content):
                lines = [f"HTTP/1.1 {status} {http.client.responses.get(status, 'Unknown')}"]
                lines += [f"{name}: {value}" for name, value in headers.items()]
                return "\r\n".join([*lines, f"Content-Length: {len(content)}", "", ""]).encode() + content

            def refuse(self, status, name, headers):
                error = {"code": status, "message": "The proxy refuses this call.", "status": name}
                headers = {"Content-Type": "application/json", **headers}
                self.wfile.write(self.message(status, headers, json.dumps({"error": error}).encode()))

            def cut(self, draw=None):
                """Closes the connection, or resets it if the draw says so, which drops data in transit."""
                self.close_connection = True
                if draw and draw.random() < 0.5:
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    self.connection.close()
                else:
                    self.connection.shutdown(socket.SHUT_RDWR)

            def log_message(self, *arguments):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

            def handle_error(self, *arguments):
                """Ignores errors of clients that disconnect."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def note(self, method, path, body):
        """Records a call and chooses its fault."""
        if STORE.match(path):
            kind, rate = path.rpartition(":")[2], self.store_rate
        elif method == "POST" and CREATE_TASK.match(path):
            kind, rate = "tasks", self.task_rate
        else:
            kind, rate = "other", 0
        with self.lock:
            ordinal = self.ordinals[kind]
            self.ordinals[kind] += 1
            draw = random.Random(f"{self.seed}:{kind}:{ordinal}")
            fault = draw.choice(self.faults) if draw.random() < rate else None
            if kind == "tasks" and fault:
                self.failed_tasks[body] += 1
                fault = fault if self.failed_tasks[body] <= 2 else None
            call = Call(kind, body, fault)
            self.calls.append(call)
        return call, draw

    @property
    def store_calls(self):
        """The calls of Firestore methods."""
        return [call for call in list(self.calls) if call.kind not in ("tasks", "other")]

    def close(self):
        self.server.shutdown()
        self.server.server_close()
