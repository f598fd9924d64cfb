"""Requests as a REST client writes them, made over gRPC with the official packages' messages."""

import re
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote, urlsplit

import grpc
from google.protobuf import json_format
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.unknown_fields import UnknownFieldSet
from google.rpc import error_details_pb2, status_pb2

from google_clients import channel_of
from google_schema import services

# Only the REST form has these: how an answer is written.
SYSTEM = {"$alt", "alt", "fields", "key", "prettyPrint"}
HTTP_STATUS = {
    "NOT_FOUND": HTTPStatus.NOT_FOUND,
    "ALREADY_EXISTS": HTTPStatus.CONFLICT,
    "ABORTED": HTTPStatus.CONFLICT,
    "INVALID_ARGUMENT": HTTPStatus.BAD_REQUEST,
    "FAILED_PRECONDITION": HTTPStatus.BAD_REQUEST,
    "OUT_OF_RANGE": HTTPStatus.BAD_REQUEST,
    "UNIMPLEMENTED": HTTPStatus.NOT_IMPLEMENTED,
    "RESOURCE_EXHAUSTED": HTTPStatus.TOO_MANY_REQUESTS,
}
assert error_details_pb2.Help, "the details of errors are in the pool of messages"


class GRPCCaller:
    """Makes requests over gRPC; those that no official package has are made over REST."""

    def __init__(self, emulator):
        self.emulator = emulator
        self.channel = channel_of(emulator)
        self.called = set()

    def call(self, verb, target, body=None):
        """Returns the HTTP status and the JSON that the answer stands for."""
        parts = urlsplit(target)
        found = self.method(verb, parts.path)
        if found is None:
            return self.emulator.call(verb, target, body)
        path, method, variables, in_body = found
        items = [item for item in parse_qsl(parts.query) if item[0] not in SYSTEM]
        content = fields_of(method.request, items)
        if content is None:
            return self.emulator.call(verb, target, body)
        if body is not None and in_body == "*":
            merge(content, body)
        elif body is not None and in_body:
            merge(content, {in_body: body})
        for name, value in variables.items():
            place(content, name.split("."), unquote(value))
        request = json_format.ParseDict(content, GetMessageClass(method.request)())
        self.called.add(path)
        return self.perform(path, method, request)

    def perform(self, path, method, request):
        kind = "unary_stream" if method.streams_response else "unary_unary"
        call = getattr(self.channel, kind)("/" + path, lambda message: message.SerializeToString(), lambda data: data)
        try:
            answers = list(call(request, timeout=60)) if method.streams_response else [call(request, timeout=60)]
        except grpc.RpcError as error:
            fault = error_of(error)
            return fault["error"]["code"], [fault] if method.streams_response else fault
        found = [self.json_of(data, method) for data in answers]
        return 200, found if method.streams_response else found[0]

    @staticmethod
    def json_of(data, method):
        """Returns an answer as JSON by the official message, which must know all of it."""
        message = GetMessageClass(method.response).FromString(data)
        assert unknown_fields(message) == [], f"{method.name} answers what the official message does not have"
        assert len(message.SerializeToString()) == len(data)
        return json_format.MessageToDict(message)

    @staticmethod
    def method(verb, path):
        """Returns the method of a path: the longest template that matches, so that a verb wins over an id."""
        found = []
        for service, methods in services().items():
            for method in methods:
                for binding in method.bindings:
                    own_verb, template, *body = binding.split()
                    match = pattern_of(template).fullmatch(path)
                    if own_verb == verb and match and not method.streams_request:
                        variables = {name.replace("__", "."): value for name, value in match.groupdict().items()}
                        entry = (f"{service}/{method.name}", method, variables, body[0] if body else "")
                        found.append((len(re.sub(r"\{[^}]*\}", "", template)), entry))
        return max(found, key=lambda item: item[0])[1] if found else None


def pattern_of(template):
    """Returns a pattern for the paths of a template, with a group for each variable."""

    def group(match):
        name, _, inner = match[1].partition("=")
        pattern = re.escape(inner or "*").replace(r"\*\*", ".+").replace(r"\*", "[^/:]+")
        return f"(?P<{name.replace('.', '__')}>{pattern})"

    pieces = re.split(r"(\{[^}]*\})", template)
    return re.compile(
        "".join(re.sub(r"\{(.*)\}", group, piece) if piece.startswith("{") else re.escape(piece) for piece in pieces)
    )


def fields_of(message, items):
    """Returns query parameters as the JSON of a message; None if the message does not have one of them."""
    content = {}
    for name, text in items:
        descriptor, path = message, []
        for part in name.split("."):
            field = next((field for field in descriptor.fields if part in (field.name, field.json_name)), None)
            if field is None:
                return None
            path.append(field.json_name)
            descriptor = field.message_type
        value = {"true": True, "false": False}.get(text, text) if field.type == field.TYPE_BOOL else text
        if field.is_repeated:
            value = [*lookup(content, path), value]
        place(content, path, value)
    return content


def lookup(content, path):
    for part in path:
        content = content.get(part, {})
    return content or []


def place(content, path, value):
    *outer, last = path
    for part in outer:
        content = content.setdefault(part, {})
    content[last] = value


def merge(content, other):
    for name, value in other.items():
        if isinstance(value, dict) and isinstance(content.get(name), dict):
            merge(content[name], value)
        else:
            content[name] = value


def unknown_fields(message):
    """Returns the messages, at any depth, that have fields which their descriptors don't."""
    found = [message.DESCRIPTOR.full_name] if len(UnknownFieldSet(message)) else []
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        values = (
            value.values() if field.message_type.GetOptions().map_entry else value if field.is_repeated else [value]
        )
        for item in values:
            if hasattr(item, "DESCRIPTOR"):
                found += unknown_fields(item)
    return found


def error_of(error):
    """Returns the error of a call as REST writes it."""
    name = error.code().name
    content = {"code": int(HTTP_STATUS[name]), "message": error.details(), "status": name}
    details = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin")
    if details:
        status = status_pb2.Status.FromString(details)
        assert (status.code, status.message) == (error.code().value[0], error.details())
        content["details"] = [json_format.MessageToDict(detail) for detail in status.details]
    return {"error": content}
