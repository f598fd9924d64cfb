"""A TCP proxy that cuts and stalls connections at every step of a protocol of requests and responses."""

import collections
import contextlib
import random
import socket
import struct
import threading
import time

# The steps, at the nth piece of data from the client or from the server.
BEFORE_REQUEST = "before a request goes on"
AMID_REQUEST = "in the middle of a request"
BEFORE_RESPONSE = "after a request, before its response"
AMID_RESPONSE = "in the middle of a response"
STALL = "a stall"
SILENCE = "silence for ever"
CUTS = [BEFORE_REQUEST, AMID_REQUEST, BEFORE_RESPONSE, AMID_RESPONSE]


class CuttingProxy:
    """Forwards connections to a port, each until a fault that depends on the seed and on its number only.

    The fault comes at the nth piece, 1 to `longest`, on a scale on which each factor is as likely as any other: that
    reaches the start of a connection as well as its later requests. `is_calm` ends the faults.
    """

    def __init__(self, port, seed, faults=CUTS, longest=300):
        self.port, self.seed, self.faults, self.longest = port, seed, faults, longest
        self.counts = collections.Counter()
        self.is_calm = False
        self.lock = threading.Lock()
        self.number = 0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.address = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.port), timeout=10)
                server.settimeout(None)
            except OSError:
                client.close()
                continue
            self.number += 1
            Connection(self, client, server, random.Random(f"{self.seed}:{self.number}"))

    def note(self, fault):
        with self.lock:
            self.counts[fault] += 1

    @property
    def total(self):
        return sum(self.counts.values())

    def close(self):
        self.is_calm = True
        self.listener.close()


class Connection:
    """A connection through the proxy."""

    def __init__(self, proxy, client, server, draw):
        self.proxy, self.client, self.server, self.draw = proxy, client, server, draw
        self.fault = draw.choice(proxy.faults)
        self.piece = int(proxy.longest ** draw.random())
        self.is_silent = False
        self.resets = draw.random() < 0.5
        for each in (client, server):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for source, target in [(client, server), (server, client)]:
            threading.Thread(target=self.forward, args=(source, target), daemon=True).start()

    def forward(self, source, target):
        pieces = 0
        try:
            while data := source.recv(65_536):
                pieces += 1
                if pieces >= self.piece and not self.proxy.is_calm and self.strikes(source, target, data):
                    return
                if not self.is_silent:
                    target.sendall(data)
        except OSError:
            pass
        self.close()

    def strikes(self, source, target, data):
        """Injects the fault, if this is its direction; returns whether the connection ends."""
        is_request = source is self.client
        if is_request != (self.fault in (BEFORE_REQUEST, AMID_REQUEST, BEFORE_RESPONSE, STALL, SILENCE)):
            return False
        fault, part = self.fault, self.draw.randrange(len(data))
        if fault == STALL:
            # A connection that has stalled is cut later.
            self.fault = self.draw.choice(CUTS)
            self.piece += int(self.proxy.longest ** self.draw.random())
            self.proxy.note(fault)
            time.sleep(self.draw.uniform(0.2, 3))
            return False
        if fault == SILENCE:
            if not self.is_silent:
                self.proxy.note(fault)
            self.is_silent = True
            return False
        self.proxy.note(fault)
        if fault in (AMID_REQUEST, AMID_RESPONSE):
            target.sendall(data[:part])
        if fault == BEFORE_RESPONSE:
            target.sendall(data)
            self.cut(self.client)
            # The server has time to execute the request, and finds no client for its response.
            time.sleep(0.2)
        self.close()
        return True

    def cut(self, connection):
        """Ends a connection, or resets it, which drops data in transit."""
        # The other thread may have closed it already.
        with contextlib.suppress(OSError):
            if self.resets:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.shutdown(socket.SHUT_RDWR)

    def close(self):
        """Ends both connections; `shutdown` ends the other thread's wait too."""
        for connection in (self.client, self.server):
            self.cut(connection)
        time.sleep(0.05)
        for connection in (self.client, self.server):
            connection.close()
