"""A service on this machine that a function answers for, and passing a request on to another."""

import http.client
import http.server
import threading
import urllib.parse


class LocalService:
    """Listens on a port of its own until it is closed.

    `respond` gets each request, as http.server has it, with its body; it gives the answer's status, header fields and
    body.
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


def pass_on(url, request, body, fields):
    """Makes a request at another origin, with these header fields; gives the response and its body."""
    target = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(target.hostname, target.port, timeout=90)
    connection.request(request.command, request.path, body or None, fields)
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return response, content
