"""OPC UA PubSub and OPC Publisher."""

import json
from typing import Any

from tests.decoders.helpers import decoded, values

MOMENT = "2026-09-21T14:00:00Z"
AT = 1_789_999_200_000_000


def told(messages: Any, publisher: str = "PLC-9") -> Any:
    whole = {"MessageId": "4", "MessageType": "ua-data", "PublisherId": publisher, "Messages": messages}
    return decoded("plant/pubsub", json.dumps(whole))


def test_a_writer_is_a_device_of_its_publisher() -> None:
    found = told([{"DataSetWriterId": 7, "Timestamp": MOMENT, "Payload": {"Level": {"Value": 3.5}, "Run": True}}])
    assert values(found) == {"Level": 3.5, "Run": 1.0}
    assert {(one.device.identifier, one.device.gateway_identifier, one.time_us) for one in found.readings} == {
        ("7", "PLC-9", AT)
    }


def test_a_value_of_bad_status_is_none() -> None:
    bad = {"Value": 1, "StatusCode": {"Code": 0x80350000}}
    found = told([{"DataSetWriterName": "tank", "Payload": {"Level": bad, "Flow": {"Value": 2, "StatusCode": 0}}}])
    assert values(found) == {"Flow": 2.0}


def test_a_sample_of_one_node_is_called_by_its_name() -> None:
    sample = {"NodeId": "ns=2;s=Line1.Temp", "Value": {"Value": 21.5, "SourceTimestamp": MOMENT}}
    found = decoded("opc/line", json.dumps([sample, {"NodeId": "i=5", "DisplayName": "Speed", "Value": 7}]))
    assert values(found) == {"Line1.Temp": 21.5, "Speed": 7.0}
    assert [one.time_us for one in found.readings] == [AT, None]
