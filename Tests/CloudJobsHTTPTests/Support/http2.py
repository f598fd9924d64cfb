"""An HTTP/2 server that ignores headers and supports only the frames that the tests need [RFC 9113].

Its requests are counted from 1 over all connections; each is answered by text: the number of its connection, its own
number, and the bytes of its body.
"""

import itertools
import ssl
import threading

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
ACK = END_STREAM = 1
END_HEADERS = 4
INTERNAL_ERROR, REFUSED_STREAM = 2, 7
STATUS_200 = b"\x88"


class Connection:
    def __init__(self, server, number, socket):
        self.server, self.number, self.socket = server, number, socket
        self.file = socket.makefile("rb")
        self.sizes = {}
        self.writing = threading.Lock()

    def send(self, kind, flags, stream, payload=b""):
        head = len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big")
        with self.writing:
            self.socket.sendall(head + payload)

    def serve(self):
        if self.file.read(len(PREFACE)) != PREFACE:
            return
        self.send(SETTINGS, 0, 0)
        while head := self.file.read(9):
            size, stream = int.from_bytes(head[:3], "big"), int.from_bytes(head[5:], "big")
            kind, flags = head[3], head[4]
            payload = self.file.read(size)
            if kind in (SETTINGS, PING) and not flags & ACK:
                self.send(kind, ACK, 0, payload if kind == PING else b"")
            elif kind == HEADERS:
                self.sizes[stream] = 0
            elif kind == DATA:
                self.sizes[stream] += size
                for window in (0, stream) if size else ():
                    self.send(WINDOW_UPDATE, 0, window, size.to_bytes(4, "big"))
            if kind in (HEADERS, DATA) and flags & END_STREAM:
                self.server.serve(self, stream)

    def answer(self, stream, number):
        self.send(HEADERS, END_HEADERS, stream, STATUS_200)
        self.send(DATA, END_STREAM, stream, f"{self.number} {number} {self.sizes[stream]}".encode())


class HTTP2Server:
    """Serves on a listening socket; `trouble` gets each request first and returns whether it has handled it."""

    def __init__(self, listener, context, trouble):
        context.set_alpn_protocols(["h2"])
        self.listener, self.context, self.trouble = listener, context, trouble
        self.connections, self.requests = itertools.count(1), itertools.count(1)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            socket = self.listener.accept()[0]
            threading.Thread(target=self.connect, args=(socket,), daemon=True).start()

    def connect(self, socket):
        try:
            with self.context.wrap_socket(socket, server_side=True) as socket:
                Connection(self, next(self.connections), socket).serve()
        except (OSError, ssl.SSLError):
            pass

    def serve(self, connection, stream):
        number = next(self.requests)
        if not self.trouble(connection, stream, number):
            connection.answer(stream, number)


def gather(count):
    """Answers the first requests only once a number of them are active."""
    waiting = []
    lock = threading.Lock()

    def trouble(connection, stream, number):
        with lock:
            if number > count:
                return False
            waiting.append((connection, stream, number))
            if len(waiting) == count:
                for connection, stream, number in waiting:
                    connection.answer(stream, number)
        return True

    return trouble


def reset_every_other(code):
    """Resets the streams of odd-numbered requests."""

    def trouble(connection, stream, number):
        if number % 2:
            connection.send(RST_STREAM, 0, stream, code.to_bytes(4, "big"))
        return number % 2

    return trouble


def go_away_every_other(connection, stream, number):
    """Leaves odd-numbered requests unanswered and sends GOAWAY on their connections."""
    if number % 2:
        connection.send(GOAWAY, 0, 0, (0).to_bytes(4, "big") + (0).to_bytes(4, "big"))
    return number % 2
