"""A reverse proxy that records each exchange between a client and the emulator."""

import dataclasses
import json
import urllib.parse

from local_service import LocalService, pass_on


@dataclasses.dataclass
class Exchange:
    """A request and its response; the path is percent-decoded, the bodies are parsed JSON or None."""

    method: str
    path: str
    query: list
    request: object
    status: int
    answer: object


class RecordingProxy(LocalService):
    """A proxy in front of the emulator; `exchanges` is in the order of completion."""

    def __init__(self, url):
        self.target = url
        self.exchanges = []
        super().__init__(self.respond)

    def respond(self, request, body):
        response, content = pass_on(self.target, request, body, {})
        split = urllib.parse.urlsplit(request.path)
        self.exchanges.append(
            Exchange(
                request.command,
                urllib.parse.unquote(split.path),
                urllib.parse.parse_qsl(split.query, keep_blank_values=True),
                json.loads(body) if body else None,
                response.status,
                json.loads(content) if content else None,
            )
        )
        return response.status, {"Content-Type": response.headers.get("Content-Type", "application/json")}, content
