"""The protobuf messages of a Sparkplug B payload, built here so that nothing is generated or compiled.

Field numbers and types are those of the specification's payload definition. Strings are declared as bytes, which
is the same on the wire: one broken text must not cost the whole message.
"""

from typing import Any

from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

UINT32, UINT64 = FieldDescriptorProto.TYPE_UINT32, FieldDescriptorProto.TYPE_UINT64
FLOAT, DOUBLE = FieldDescriptorProto.TYPE_FLOAT, FieldDescriptorProto.TYPE_DOUBLE
BOOL, BYTES = FieldDescriptorProto.TYPE_BOOL, FieldDescriptorProto.TYPE_BYTES
MESSAGE = FieldDescriptorProto.TYPE_MESSAGE
PACKAGE = "sparkplug"

FIELDS = {
    "Payload": "timestamp:1:uint64 metrics:2:*Metric seq:3:uint64 uuid:4:bytes body:5:bytes",
    "Metric": "name:1:bytes alias:2:uint64 timestamp:3:uint64 datatype:4:uint32 is_historical:5:bool "
    "is_transient:6:bool is_null:7:bool properties:9:PropertySet value:int_value:10:uint32 value:long_value:11:uint64 "
    "value:float_value:12:float value:double_value:13:double value:boolean_value:14:bool value:string_value:15:bytes "
    "value:bytes_value:16:bytes value:dataset_value:17:DataSet value:template_value:18:Template",
    "PropertySet": "keys:1:*bytes values:2:*PropertyValue",
    "PropertyValue": "type:1:uint32 is_null:2:bool value:int_value:3:uint32 value:long_value:4:uint64 "
    "value:float_value:5:float value:double_value:6:double value:boolean_value:7:bool value:string_value:8:bytes",
    "DataSet": "num_of_columns:1:uint64 columns:2:*bytes types:3:*uint32 rows:4:*Row",
    "Row": "elements:1:*Element",
    "Element": "value:int_value:1:uint32 value:long_value:2:uint64 value:float_value:3:float "
    "value:double_value:4:double value:boolean_value:5:bool value:string_value:6:bytes",
    "Template": "version:1:bytes metrics:2:*Metric template_ref:4:bytes is_definition:5:bool",
}
"""`[oneof:]name:number:type` of each field that is read; `*` repeats. What is not listed is skipped."""

_TYPES = {"uint32": UINT32, "uint64": UINT64, "float": FLOAT, "double": DOUBLE, "bool": BOOL, "bytes": BYTES}


def _message(name: str, fields: str) -> DescriptorProto:
    message = DescriptorProto(name=name)
    for text in fields.split():
        *oneof, field_name, number, kind = text.split(":")
        repeated = kind.startswith("*")
        kind = kind.removeprefix("*")
        label = FieldDescriptorProto.LABEL_REPEATED if repeated else FieldDescriptorProto.LABEL_OPTIONAL
        field = message.field.add(name=field_name, number=int(number), label=label, type=_TYPES.get(kind, MESSAGE))
        if kind not in _TYPES:
            field.type_name = f".{PACKAGE}.{kind}"
        if oneof:
            if not message.oneof_decl:
                message.oneof_decl.add(name=oneof[0])
            field.oneof_index = 0
    return message


def _payload_class() -> Any:
    file = FileDescriptorProto(name="sparkplug_b.proto", package=PACKAGE, syntax="proto2")
    for name, fields in FIELDS.items():
        file.message_type.append(_message(name, fields))
    pool = DescriptorPool()
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.Payload"))


Payload = _payload_class()
"""The class of payloads: `Payload.FromString(data)` raises google.protobuf.message.DecodeError."""
