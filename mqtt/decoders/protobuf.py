"""Protobuf messages out of a short table, so that nothing is generated or compiled."""

from typing import Any

from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

_TYPES = {
    "uint32": FieldDescriptorProto.TYPE_UINT32,
    "uint64": FieldDescriptorProto.TYPE_UINT64,
    "int32": FieldDescriptorProto.TYPE_INT32,
    "int64": FieldDescriptorProto.TYPE_INT64,
    "float": FieldDescriptorProto.TYPE_FLOAT,
    "double": FieldDescriptorProto.TYPE_DOUBLE,
    "bool": FieldDescriptorProto.TYPE_BOOL,
    "bytes": FieldDescriptorProto.TYPE_BYTES,
}


def message_class(package: str, table: dict[str, str], name: str) -> Any:
    """The class of a message; `FromString(data)` raises google.protobuf.message.DecodeError.

    `table` lists the fields of each message as `[oneof:]name:number:type`; `*` repeats; what is not listed is
    skipped. Texts are declared as bytes, which is the same on the wire: a broken one must not cost the message.
    """
    file = FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto2")
    for message, fields in table.items():
        file.message_type.append(_message(package, message, fields))
    pool = DescriptorPool()
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}"))


def _message(package: str, name: str, fields: str) -> DescriptorProto:
    message = DescriptorProto(name=name)
    for text in fields.split():
        *oneof, field_name, number, kind = text.split(":")
        repeated = kind.startswith("*")
        kind = kind.removeprefix("*")
        label = FieldDescriptorProto.LABEL_REPEATED if repeated else FieldDescriptorProto.LABEL_OPTIONAL
        wire = _TYPES.get(kind, FieldDescriptorProto.TYPE_MESSAGE)
        field = message.field.add(name=field_name, number=int(number), label=label, type=wire)
        if kind not in _TYPES:
            field.type_name = f".{package}.{kind}"
        if oneof:
            if not message.oneof_decl:
                message.oneof_decl.add(name=oneof[0])
            field.oneof_index = 0
    return message
