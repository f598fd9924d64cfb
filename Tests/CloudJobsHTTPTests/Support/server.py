"""Two servers for the tests of the HTTP client, on free loopback ports.

The first is the standard library's HTTP server and is well behaved. The second uses plain sockets and misbehaves
as the path requests. Both ports are printed as one line; the process ends when its standard input does.
"""

import asyncio
import contextlib
import hashlib
import http.server
import json
import sys
import threading
import time

counts = {"connections": 0, "requests": 0, "rawOpen": 0, "rawRequests": 0}
lock = threading.Lock()


def count(name, step=1):
    with lock:
        counts[name] += step


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def setup(self):
        count("connections")
        super().setup()

    def log_message(self, *arguments):
        pass

    def answer(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if status not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and status not in (204, 304):
            self.wfile.write(body)

    def handle_any(self):
        count("requests")
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        kind, _, rest = self.path.strip("/").partition("/")
        if kind == "mirror":
            self.answer(200, body, [("Content-Type", self.headers.get("Content-Type", "none"))])
        elif kind == "status":
            self.answer(int(rest), b"said " + rest.encode())
        elif kind == "bytes":
            self.answer(200, b"x" * int(rest))
        elif kind == "redirect":
            self.answer(302, b"elsewhere", [("Location", "/echo")])
        elif kind == "headers":
            self.answer(200, b"", [("X-Twice", "one"), ("X-Twice", "two"), ("X-Empty", ""), ("X-Padded", "  a b  ")])
        elif kind == "sleep":
            time.sleep(int(rest) / 1000)
            self.answer(200, b"slept")
        elif kind == "stats":
            with lock:
                self.answer(200, json.dumps(counts).encode())
        else:
            echo = {
                "method": self.command,
                "path": self.path,
                "headers": [[name.lower(), value] for name, value in self.headers.items()],
                "bytes": len(body),
                "sha256": hashlib.sha256(body).hexdigest(),
            }
            self.answer(200, json.dumps(echo).encode(), [("Content-Type", "application/json")])

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_QUERY = handle_any


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 512
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Ignores clients that disconnect, as half of the tests do."""


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"


class Raw:
    """The state shared by the connections of the second server."""

    server = None
    waiting = 0
    all_wait = asyncio.Event()


async def misbehave(path, reader, writer, is_kept):
    """Answers or misbehaves; returns whether the connection is kept."""
    if path == "/keep":
        writer.write(OK)
        return True
    if path == "/meet":
        # Two requests at once, so that there are two connections.
        Raw.waiting += 1
        if Raw.waiting == 2:
            Raw.all_wait.set()
        await Raw.all_wait.wait()
        writer.write(OK)
        return True
    if path in ("/lose", "/cut", "/vanish"):
        if path == "/vanish":
            Raw.server.close()
        if not is_kept:
            writer.write(OK)
    elif path == "/half":
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n0123456789")
    elif path == "/half-chunk":
        writer.write(CHUNKED + b"\r\n5\r\nhello\r\n")
    elif path == "/half-head":
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Le")
    elif path == "/garbage":
        writer.write(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n")
    elif path == "/drip":
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(1000):
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)
    elif path == "/endless":
        writer.write(CHUNKED + b"\r\n")
        while True:
            writer.write(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")
            await writer.drain()
    elif path == "/declared":
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n0123456789")
        await reader.read()
    elif path == "/endless-head":
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"X-More: " + b"y" * 1000 + b"\r\n")
            await writer.drain()
    elif path == "/interim":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nX-Hint: early\r\n\r\n")
        writer.write(CHUNKED + b"Trailer: X-Trailer\r\nX-Final: yes\r\n\r\n")
        writer.write(b"5\r\nhello\r\n0\r\nX-Trailer: late\r\n\r\n")
    elif path == "/folded":
        writer.write(b"HTTP/1.1 200 OK\r\nX-Long: one\r\n  two\r\nContent-Length: 0\r\n\r\n")
    elif path == "/stale":
        # Looks like a kept connection but is closed.
        writer.write(OK)
    elif path == "/hang":
        await reader.read()
    await writer.drain()
    return False


async def serve_raw(reader, writer):
    count("rawOpen")
    try:
        is_kept = False
        while line := await reader.readline():
            length = 0
            while (field := await reader.readline()).strip():
                name, _, value = field.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            count("rawRequests")
            path = line.split(b" ")[1].decode() if b" " in line else ""
            if path != "/cut":
                await reader.readexactly(length)
            is_kept = await misbehave(path, reader, writer, is_kept)
            if not is_kept:
                break
    except (ConnectionError, asyncio.IncompleteReadError, ValueError):
        pass
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        count("rawOpen", -1)


async def main():
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Raw.server = await asyncio.start_server(serve_raw, "127.0.0.1", 0, backlog=512)
    print(server.server_address[1], Raw.server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
