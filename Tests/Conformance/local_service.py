"""HTTP services on this machine whose responses come from a function, and forwarding to other services."""

import http.client
import http.server
import socket
import threading
import time
import urllib.parse


def free_port() -> int:
    """Returns a port that no program listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class LocalService:
    """A service that listens on a free port until it is closed.

    `respond` takes each request, as http.server represents it, and its body. It returns the response's status, header
    fields and body.
    """

    def __init__(self, respond):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, fields, content = respond(self, body)
                self.send_response(status)
                for name, value in fields.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = handle_any

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Recorder(LocalService):
    """A service that records each request; `answer` returns a status, or a status and header fields."""

    def __init__(self):
        self.requests = []
        self.answer = lambda request: 200
        self.lock = threading.Lock()
        super().__init__(self.respond)

    def respond(self, request, body):
        kept = {
            "method": request.command,
            "path": request.path,
            "headers": {name.lower(): value for name, value in request.headers.items()},
            "body": body,
            "time": time.time(),
        }
        with self.lock:
            self.requests.append(kept)
            answer = self.answer(kept)
        status, fields = answer if isinstance(answer, tuple) else (answer, {})
        return status, fields, b""

    def wait_for(self, count, seconds=20):
        deadline = time.time() + seconds
        while time.time() < deadline:
            with self.lock:
                if len(self.requests) >= count:
                    return list(self.requests)
            time.sleep(0.01)
        raise AssertionError(f"{len(self.requests)} of {count} deliveries arrived within {seconds} s")


def pass_on(url, request, body, fields):
    """Forwards a request to another origin with the given header fields; returns the response and its body."""
    target = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(target.hostname, target.port, timeout=90)
    connection.request(request.command, request.path, body or None, fields)
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return response, content
