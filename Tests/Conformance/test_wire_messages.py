"""The emulator's reader and writer of messages against the official protobuf library, for every type of the schema.

Set CLOUD_JOBS_WIRE_SEED to choose other messages.
"""

import os
import random
import re
import struct
import subprocess
from pathlib import Path

import pytest
from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2

from google_schema import fields_of, is_map_entry, reachable, roots, services

SEED = int(os.environ.get("CLOUD_JOBS_WIRE_SEED", "1"))
CHANGES = 1_000_000
EACH = 80
DEPTH = 4
TEXTS = ["", "a", "projects/p", "é", "日本", '\x00\n"\\', "😀", "a" * 200]
INTEGERS = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
}
DOUBLES = [0.0, -0.0, 1.0, -1.5, 0.1, 1e300, 5e-324, 2.0**53, float("inf"), float("-inf")]


def types():
    """Returns the descriptors of all messages of the schema."""
    methods = [method for service in services().values() for method in service]
    found = reachable(roots(methods)).values()
    return [item for item in found if hasattr(item, "fields") and not is_map_entry(item)]


def scalar(field, draw):
    kind = field.cpp_type
    if kind in INTEGERS:
        low, high = INTEGERS[kind]
        return draw.choice([0, 1, low, high, draw.randint(max(low, -300), 300), draw.randint(low, high)])
    if kind == FieldDescriptor.CPPTYPE_BOOL:
        return draw.random() < 0.5
    if kind in (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT):
        number = draw.choice([*DOUBLES, draw.uniform(-1e6, 1e6)])
        if kind == FieldDescriptor.CPPTYPE_FLOAT:
            return struct.unpack("f", struct.pack("f", number if abs(number) < 1e38 else 0.25))[0]
        return number
    if kind == FieldDescriptor.CPPTYPE_ENUM:
        # A number without a name is kept, but for those of proto2 and for `null`.
        numbers = [value.number for value in field.enum_type.values]
        return draw.choice(numbers if field.enum_type.is_closed or len(numbers) == 1 else [*numbers, 99])
    if field.type == FieldDescriptor.TYPE_BYTES:
        return draw.randbytes(draw.choice([0, 1, 2, 3, 40, 200]))
    return draw.choice(TEXTS)


def fill_struct(message, draw):
    message.update({"a": draw.choice([None, True, "x", 0.5, 3, [1, None, {"b": []}]]), "é": {}})


def fill_built_in(message, draw):
    """Fills a message of a type that is built in; returns whether it is one."""
    match message.DESCRIPTOR.full_name:
        case "google.protobuf.Timestamp":
            message.seconds = draw.choice([0, -62_135_596_800, 253_402_300_799, draw.randint(-(10**10), 10**10)])
            message.nanos = draw.choice([0, 1, 500_000_000, 123_456_000, 999_999_999])
        case "google.protobuf.Duration":
            sign = draw.choice([-1, 1])
            message.seconds = sign * draw.choice([0, 1, 315_576_000_000, draw.randint(0, 10**6)])
            message.nanos = sign * draw.choice([0, 1, 250_000_000, 999_999_999])
        case "google.protobuf.FieldMask":
            message.paths.extend(draw.choice([[], ["a"], ["retry_config.max_attempts", "name"]]))
        case "google.protobuf.Struct":
            fill_struct(message, draw)
        case "google.protobuf.Any":
            detail = draw.choice([error_details_pb2.Help, error_details_pb2.BadRequest, error_details_pb2.RetryInfo])()
            fill(detail, draw, 2)
            message.Pack(detail)
        case "google.protobuf.Empty":
            pass
        case name if name.startswith("google.protobuf.") and name.endswith("Value") and "value" in dir(message):
            message.value = scalar(message.DESCRIPTOR.fields_by_name["value"], draw)
        case _:
            return False
    return True


def fill(message, draw, depth):
    """Sets some fields of a message to random values."""
    if fill_built_in(message, draw):
        message.SetInParent()
        return message
    oneofs = set()
    fields = fields_of(message.DESCRIPTOR)
    for field in draw.sample(fields, len(fields)):
        if draw.random() < 0.4 or (field.message_type and depth == 0):
            continue
        if field.containing_oneof:
            if field.containing_oneof.name in oneofs:
                continue
            oneofs.add(field.containing_oneof.name)
        if is_map_entry(field.message_type):
            fill_map(getattr(message, field.name), field, draw, depth)
        elif field.is_repeated:
            for _ in range(draw.randint(0, 3)):
                if field.message_type:
                    fill(getattr(message, field.name).add(), draw, depth - 1)
                else:
                    getattr(message, field.name).append(scalar(field, draw))
        elif field.message_type:
            getattr(message, field.name).SetInParent()
            fill(getattr(message, field.name), draw, depth - 1)
        else:
            setattr(message, field.name, scalar(field, draw))
    return message


def fill_map(entries, field, draw, depth):
    key, value = field.message_type.fields_by_name["key"], field.message_type.fields_by_name["value"]
    for _ in range(draw.randint(0, 3)):
        if value.message_type:
            fill(entries[scalar(key, draw)], draw, depth - 1)
        else:
            entries[scalar(key, draw)] = scalar(value, draw)


def ask(lines, *arguments):
    """Returns the output of `wire-cli`, one line for each of the given lines."""
    program = Path(os.environ["CLOUD_JOBS_BIN_DIR"]) / "wire-cli"
    text = "".join(line + "\n" for line in lines)
    answers = subprocess.run(
        [program, *arguments], input=text, capture_output=True, text=True, check=True, timeout=1200
    )
    return answers.stdout.splitlines()


def json_text(message):
    return json_format.MessageToJson(message, indent=None, preserving_proto_field_name=False)


@pytest.fixture(scope="module")
def messages():
    draw = random.Random(SEED)
    classes = [GetMessageClass(descriptor) for descriptor in types()]
    return [fill(kind(), draw, DEPTH) for kind in classes for _ in range(EACH)]


def test_messages_are_the_same_after_a_round_trip(messages):
    lines = []
    for message in messages:
        name = message.DESCRIPTOR.full_name
        lines.append(f"{name}\twire\t{message.SerializeToString().hex()}")
        lines.append(f"{name}\tjson\t{json_text(message)}")
    answers = ask(lines)
    assert len(answers) == len(lines)
    for number, (line, answer) in enumerate(zip(lines, answers, strict=True)):
        message = messages[number // 2]
        assert not answer.startswith("error"), f"{line}\n{answer}"
        wire, json = answer.split("\t", 1)
        again = type(message).FromString(bytes.fromhex(wire))
        assert again == message, f"{line}\n{answer}"
        assert json_format.Parse(json, type(message)()) == message, f"{line}\n{answer}"


def test_every_type_and_every_field_took_part(messages):
    seen = {(message.DESCRIPTOR.full_name, field.name) for message in messages for field, _ in message.ListFields()}
    wanted = {(kind.full_name, field.name) for kind in types() for field in fields_of(kind)}
    assert wanted - seen == set()


def test_changed_messages_are_read_or_refused_with_a_place(messages):
    lines = [
        f"{message.DESCRIPTOR.full_name}\twire\t{message.SerializeToString().hex()}"
        for message in messages
        if message.ByteSize() < 2_000
    ]
    (answer,) = ask(lines, "--mutate", str(CHANGES), str(SEED))
    assert re.fullmatch(r"\d+\t\d+", answer), answer
    read, refused = map(int, answer.split("\t"))
    print(f"\n{read:,} were read, {refused:,} refused")
    assert read + refused == CHANGES and min(read, refused) > CHANGES // 100
