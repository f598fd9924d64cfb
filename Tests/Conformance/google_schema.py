"""The schema of what the emulator serves, from the descriptors of the official packages.

`make schema` writes the files. The descriptors of the generated clients have no services: these come from the stubs of
their gRPC transports and from the paths of their REST transports.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from unittest import mock

import grpc
import proto
from google.api import httpbody_pb2
from google.cloud import firestore_v1, scheduler_v1, tasks_v2
from google.cloud.firestore_v1.services.firestore import transports as firestore_transports
from google.cloud.firestore_v1.services.firestore.transports.rest_base import _BaseFirestoreRestTransport
from google.cloud.location import locations_pb2
from google.cloud.scheduler_v1.services.cloud_scheduler import transports as scheduler_transports
from google.cloud.scheduler_v1.services.cloud_scheduler.transports.rest_base import _BaseCloudSchedulerRestTransport
from google.cloud.tasks_v2.services.cloud_tasks import transports as tasks_transports
from google.cloud.tasks_v2.services.cloud_tasks.transports.rest_base import _BaseCloudTasksRestTransport
from google.iam.v1 import iam_policy_pb2
from google.longrunning import operations_proto_pb2
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, FileDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.text_format import MessageToString, Parse
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from repository import ROOT

FOLDER = ROOT / "Emulator" / "CloudJobsEmulatorWire" / "Schema"
# The types that the emulator reads and writes by rules of their own.
BUILT_IN = {
    f"google.protobuf.{name}"
    for name in (
        *("Any", "Duration", "Empty", "FieldMask", "ListValue", "NullValue", "Struct", "Timestamp", "Value"),
        *("BoolValue", "BytesValue", "DoubleValue", "FloatValue", "Int32Value", "Int64Value", "StringValue"),
        *("UInt32Value", "UInt64Value"),
    )
}
# The fields of google.protobuf.FileDescriptorProto and its parts that reflection does not need.
OMITTED = {"features", "options", "source_code_info", "uninterpreted_option"}
# The methods of a channel that make stubs.
KINDS = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")
NEVER_PACKED = {FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES, FieldDescriptor.TYPE_MESSAGE}


@dataclass(frozen=True)
class Client:
    """A generated client: the service that it calls, its types and its two transports."""

    service: str
    types: ModuleType
    grpc: type
    rest: type


@dataclass(frozen=True)
class Method:
    """A method of a service; a binding is a verb, a path template and the body's field, if any."""

    name: str
    request: Descriptor
    response: Descriptor
    streams_request: bool
    streams_response: bool
    bindings: list[str]


@dataclass(frozen=True)
class Text:
    """One of the texts: its name, and the prefixes of the names in it."""

    name: str
    prefixes: tuple[str, ...]


CLIENTS = [
    Client(
        "google.cloud.tasks.v2.CloudTasks",
        tasks_v2.types,
        tasks_transports.CloudTasksGrpcTransport,
        _BaseCloudTasksRestTransport,
    ),
    Client(
        "google.cloud.scheduler.v1.CloudScheduler",
        scheduler_v1.types,
        scheduler_transports.CloudSchedulerGrpcTransport,
        _BaseCloudSchedulerRestTransport,
    ),
    Client(
        "google.firestore.v1.Firestore",
        firestore_v1.types,
        firestore_transports.FirestoreGrpcTransport,
        _BaseFirestoreRestTransport,
    ),
]
# A name belongs to the first text with a prefix of it.
TEXTS = [
    Text("tasks", ("google.cloud.tasks.v2.",)),
    Text("scheduler", ("google.cloud.scheduler.v1.",)),
    Text("firestore", ("google.firestore.v1.",)),
    Text("grpc", ("grpc.", "google.protobuf.")),
    Text("common", ("google.",)),
]


def reflection_v1() -> FileDescriptor:
    """Returns version 1 of the reflection protocol. The package has v1alpha only, whose package's name alone differs.

    Source: https://github.com/grpc/grpc/blob/master/src/proto/grpc/reflection/v1/reflection.proto
    """
    alpha = FileDescriptorProto()
    reflection_pb2.DESCRIPTOR.CopyToProto(alpha)
    stable = Parse(MessageToString(alpha).replace("v1alpha", "v1"), FileDescriptorProto())
    pool = DescriptorPool()
    pool.AddSerializedFile(stable.SerializeToString())
    return pool.FindFileByName(stable.name)


def descriptor_of(codec) -> Descriptor:
    """Returns the message that a stub's serializer or deserializer, a bound method of the message's class, is for."""
    message = codec.__self__
    return message.pb().DESCRIPTOR if issubclass(message, proto.Message) else message.DESCRIPTOR


def bindings_of(clients: list[Client], method: str) -> list[str]:
    """Returns the distinct HTTP bindings of a method in the official order, client after client."""
    bases = [getattr(client.rest, f"_Base{method}", None) for client in clients]
    rules = [rule for base in bases if hasattr(base, "_get_http_options") for rule in base._get_http_options()]
    texts = [" ".join([rule["method"].upper(), rule["uri"], rule.get("body", "")]).rstrip() for rule in rules]
    return list(dict.fromkeys(texts))


def client_methods(client: Client) -> Iterator[Method]:
    """Yields the methods of a client's own service, from the stubs that its gRPC transport makes at once.

    The transport's interceptor would make them at the first call. The serializer of a message that is not of proto-plus
    does not tell the message: such requests are those of the mixed-in IAM service.
    """
    channel = mock.create_autospec(grpc.Channel, instance=True)
    with mock.patch.object(grpc, "intercept_channel", lambda channel, *_: channel):
        client.grpc(channel=channel)
    iam = iam_policy_pb2.DESCRIPTOR.services_by_name["IAMPolicy"].methods_by_name
    stubs = [(kind, *call) for kind in KINDS for call in getattr(channel, kind).call_args_list]
    for kind, (path,), codecs in stubs:
        service, name = path.removeprefix("/").split("/")
        if service == client.service:
            yield Method(
                name,
                iam[name].input_type if name in iam else descriptor_of(codecs["request_serializer"]),
                descriptor_of(codecs["response_deserializer"]),
                kind.startswith("stream_"),
                kind.endswith("_stream"),
                bindings_of([client], name),
            )


def described_methods(service: ServiceDescriptor, clients: list[Client]) -> Iterator[Method]:
    """Yields the methods of a service that has a descriptor, with the HTTP bindings that some clients have for it."""
    for method in service.methods:
        yield Method(
            method.name,
            method.input_type,
            method.output_type,
            method.client_streaming,
            method.server_streaming,
            bindings_of(clients, method.name),
        )


def services() -> dict[str, list[Method]]:
    """Returns the methods of all services by the services' full names."""
    mixed_in = [
        locations_pb2.DESCRIPTOR.services_by_name["Locations"],
        operations_proto_pb2.DESCRIPTOR.services_by_name["Operations"],
    ]
    of_grpc = [
        health_pb2.DESCRIPTOR.services_by_name["Health"],
        reflection_pb2.DESCRIPTOR.services_by_name["ServerReflection"],
        reflection_v1().services_by_name["ServerReflection"],
    ]
    return (
        {client.service: list(client_methods(client)) for client in CLIENTS}
        | {service.full_name: list(described_methods(service, CLIENTS)) for service in mixed_in}
        | {service.full_name: list(described_methods(service, [])) for service in of_grpc}
    )


def fields_of(message: Descriptor) -> list[FieldDescriptor]:
    """Returns a message's fields by number, without those that are left out."""
    omitted = OMITTED if message.full_name.startswith("google.protobuf.") else set()
    return sorted((field for field in message.fields if field.name not in omitted), key=lambda field: field.number)


def reachable(roots: Iterable[Descriptor]) -> dict[str, Descriptor | EnumDescriptor]:
    """Returns some messages, what is nested in them and what their fields need, by full name, without the built-in."""
    found, waiting = {}, list(roots)
    while waiting:
        item = waiting.pop()
        if item.full_name in found or item.full_name in BUILT_IN:
            continue
        found[item.full_name] = item
        if isinstance(item, Descriptor):
            types = [field.message_type or field.enum_type for field in fields_of(item)]
            waiting += [*(type for type in types if type), *item.nested_types, *item.enum_types]
    return found


def roots(methods: Iterable[Method]) -> Iterator[Descriptor]:
    """Yields the messages to start from: those of the methods and clients, and those that travel as Any or as bytes."""
    for method in methods:
        yield from (method.request, method.response)
    for client in CLIENTS:
        members = vars(client.types).values()
        yield from (member.pb().DESCRIPTOR for member in members if isinstance(member, type(proto.Message)))
    yield from error_details_pb2.DESCRIPTOR.message_types_by_name.values()
    yield from (status_pb2.Status.DESCRIPTOR, httpbody_pb2.HttpBody.DESCRIPTOR, FileDescriptorProto.DESCRIPTOR)


def is_map_entry(item: Descriptor | EnumDescriptor | None) -> bool:
    """Returns whether a type is the entry of a map field."""
    return isinstance(item, Descriptor) and item.GetOptions().map_entry


def type_of(field: FieldDescriptor) -> str:
    """Returns the name of a field's type."""
    named = field.message_type or field.enum_type
    return named.full_name if named else FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()


def is_unpacked(field: FieldDescriptor) -> bool:
    """Returns whether a repeated field of numbers is not packed."""
    return field.is_repeated and field.type not in NEVER_PACKED and not field.is_packed


def field_line(field: FieldDescriptor) -> str:
    """Returns the line of a field. The clients add an underscore to a name that is a word of Python."""
    name = field.name.removesuffix("_")
    assert field.json_name == re.sub("_(.)", lambda match: match[1].upper(), name), field.full_name
    assert field.type != FieldDescriptor.TYPE_GROUP and not field.is_required, field.full_name
    if is_map_entry(field.message_type):
        key, value = (type_of(part) for part in field.message_type.fields)
        return f"  map {name} {field.number} {key} {value}"
    oneof = field.containing_oneof
    is_in_oneof = oneof is not None and oneof.name != f"_{field.name}"
    is_optional = field.has_presence and not field.message_type and not is_in_oneof
    label = "repeated " if field.is_repeated else "optional " if is_optional else ""
    packing = "unpacked " if is_unpacked(field) else ""
    suffix = f" in {oneof.name}" if is_in_oneof else ""
    return f"  {label}{name} {field.number} {packing}{type_of(field)}{suffix}"


def type_lines(item: Descriptor | EnumDescriptor) -> list[str]:
    """Returns the lines of a message or an enum."""
    if isinstance(item, EnumDescriptor):
        values = sorted(item.values, key=lambda value: value.number)
        return [f"enum {item.full_name}", *(f"  {value.name} {value.number}" for value in values)]
    assert not item.is_extendable and not item.extensions, item.full_name
    return [f"message {item.full_name}", *(field_line(field) for field in fields_of(item))]


def service_lines(name: str, methods: list[Method]) -> list[str]:
    """Returns the lines of a service."""
    lines = [f"service {name}"]
    for method in sorted(methods, key=lambda method: method.name):
        words = [method.name, method.request.full_name, method.response.full_name]
        words += ["streams-request"] * method.streams_request + ["streams-response"] * method.streams_response
        lines += ["  " + " ".join(words), *("    " + binding for binding in method.bindings)]
    return lines


def texts() -> dict[Text, list[str]]:
    """Returns the lines of the texts, in the order of the full names."""
    methods = services()
    types = reachable(roots(method for service in methods.values() for method in service))
    blocks = {name: type_lines(item) for name, item in types.items() if not is_map_entry(item)}
    assert not blocks.keys() & methods.keys()
    blocks |= {name: service_lines(name, service) for name, service in methods.items()}
    lines: dict[Text, list[str]] = {text: [] for text in TEXTS}
    for name, block in sorted(blocks.items()):
        lines[next(text for text in TEXTS if name.startswith(text.prefixes))] += block
    return lines


def rendered() -> dict[Path, str]:
    """Returns what each of the files must contain."""
    return {FOLDER / f"{text.name}.schema": "".join(line + "\n" for line in lines) for text, lines in texts().items()}


def write() -> None:
    """Writes the files."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path, text in rendered().items():
        path.write_text(text)


if __name__ == "__main__":
    write()
