"""A Firestore server that loses a response to a commit, on a free loopback port.

The first commit is answered. The second takes effect, but the connection, kept open by the first, ends without a
response. From the third on, each is answered that the document already exists. The port is printed as one line; the
process ends when its standard input does.
"""

import http.server
import json
import sys
import threading

DONE = {"commitTime": "2026-01-01T00:00:00Z", "writeResults": [{"updateTime": "2026-01-01T00:00:00Z"}]}
EXISTS = {"error": {"code": 409, "status": "ALREADY_EXISTS", "message": "Document already exists"}}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    commits = 0

    def log_message(self, *arguments):
        pass

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        Handler.commits += 1
        if Handler.commits == 2:
            self.close_connection = True
            return
        body = json.dumps(DONE if Handler.commits == 1 else EXISTS).encode()
        self.send_response(200 if Handler.commits == 1 else 409)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1], flush=True)
sys.stdin.read()
