"""The protobuf messages of a Sparkplug B payload: field numbers and types of the specification."""

from mqtt.decoders.protobuf import message_class

TABLE = {
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

Payload = message_class("sparkplug", TABLE, "Payload")
