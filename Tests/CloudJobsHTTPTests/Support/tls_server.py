"""HTTPS servers for the tests of the HTTP client, on free loopback ports, with certificates created by openssl.

Prints one line: the path of a file with the certificate authority, the port of a server whose certificate is valid for
`right.test` and 127.0.0.1, that of one whose certificate has expired, and those of HTTP/2 servers with a good one: one
that gathers 20 requests, one that refuses every other stream, one that resets it, one that goes away. Ends when its
standard input does.
"""

import http.server
import pathlib
import socket
import ssl
import subprocess
import sys
import tempfile
import threading

import http2

NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        body = self.connection.version().encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Ignores clients that reject the certificate, as most tests do."""


def make_authority(folder):
    subject = ["-subj", "/CN=An authority of the tests", "-days", "2"]
    openssl("req", "-x509", *NEW_KEY, "-keyout", f"{folder}/ca.key", "-out", f"{folder}/ca.pem", *subject)


def make_context(folder, name, days):
    """Creates a certificate that is valid for a number of days from now; negative for an expired one."""
    paths = {kind: f"{folder}/{name}.{kind}" for kind in ("key", "csr", "ext", "pem")}
    pathlib.Path(paths["ext"]).write_text("subjectAltName=DNS:right.test,IP:127.0.0.1\n")
    openssl("req", *NEW_KEY, "-keyout", paths["key"], "-out", paths["csr"], "-subj", "/CN=right.test")
    authority = ["-CA", f"{folder}/ca.pem", "-CAkey", f"{folder}/ca.key", "-CAcreateserial"]
    files = ["-in", paths["csr"], "-extfile", paths["ext"], "-out", paths["pem"]]
    openssl("x509", "-req", *files, *authority, "-days", str(days))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(paths["pem"], paths["key"])
    return context


def serve(context):
    server = Server(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


with tempfile.TemporaryDirectory() as folder:
    make_authority(folder)
    ports = [serve(make_context(folder, "good", days=2)), serve(make_context(folder, "expired", days=-1))]
    for trouble in (
        http2.gather(20),
        http2.reset_every_other(http2.REFUSED_STREAM),
        http2.reset_every_other(http2.INTERNAL_ERROR),
        http2.go_away_every_other,
    ):
        listener = socket.create_server(("127.0.0.1", 0))
        http2.HTTP2Server(listener, make_context(folder, "http2", days=2), trouble)
        ports.append(listener.getsockname()[1])
    print(f"{folder}/ca.pem", *ports, flush=True)
    sys.stdin.read()
