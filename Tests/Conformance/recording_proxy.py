"""A reverse proxy that keeps each exchange between a client and the emulator."""

import dataclasses
import http.client
import http.server
import json
import threading
import urllib.parse


@dataclasses.dataclass
class Exchange:
    """A request with its answer; the path is percent-decoded, the bodies are parsed JSON or None."""

    method: str
    path: str
    query: list
    request: object
    status: int
    answer: object


class RecordingProxy:
    """Listens on a port of its own and forwards to the emulator; `exchanges` has what went through, in order."""

    def __init__(self, url):
        self.exchanges = []
        target = urllib.parse.urlsplit(url)
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def forward(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                connection = http.client.HTTPConnection(target.hostname, target.port, timeout=90)
                connection.request(self.command, self.path, body or None)
                response = connection.getresponse()
                content = response.read()
                connection.close()
                split = urllib.parse.urlsplit(self.path)
                proxy.exchanges.append(
                    Exchange(
                        self.command,
                        urllib.parse.unquote(split.path),
                        urllib.parse.parse_qsl(split.query, keep_blank_values=True),
                        json.loads(body) if body else None,
                        response.status,
                        json.loads(content) if content else None,
                    )
                )
                self.send_response(response.status)
                self.send_header("Content-Type", response.headers.get("Content-Type", "application/json"))
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = forward

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
