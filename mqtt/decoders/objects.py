"""What the keys of an object say of it as a whole: whether it is one value, and whose it is."""

import re
from functools import lru_cache
from itertools import islice
from typing import Any

from mqtt.decoders.places import NAME_LENGTH, Place, clean
from mqtt.decoders.vocabulary import SUBJECT_IDS, SUBJECT_SERIALS, words
from mqtt.decoders.words import Role, meaning
from mqtt.messages import DeviceRef, Moved

OWN_KEYS = words(
    """nodeid deviceid devid deveui serialnumber serialno serial sn deviceserial deviceserialnumber devicesn imei
    macaddress macid mac idwasp coreid chipid esp8266id devsn cserialnumber deviceexternalid
    devicecode deviceno"""
) | SUBJECT_SERIALS  # fmt: skip
"""Keys, without case and signs, under which a message says whose it is; `id` alone may count messages."""
LESSER_KEYS = SUBJECT_IDS | {"meternumber"}
"""The same where nothing better stands, and it is no mere number."""
MAC = re.compile(r"(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}")
"""An `id` like that counts no messages."""
WHO_KEYS = words("device enddevice enddeviceids deviceinfo sensorinfo sysinfo thing agent message header")
"""Keys of objects that are about whose it is."""

VALUE_KEYS = words(
    """value val Value VALUE presentValue presentvalue present-value present_value sensor_value sensorValue
    valore valor wert measurementValue"""
)
BESIDE_VALUE = words(
    """q qc quality reliability statusflags ack lc from function dpt datatype dtype objectname description desc title
    comment register info outofservice eventstate ga src expire user metadata hm native knxsrcaddr knxdpt knxtextual
    context"""
)
"""Keys, without case and signs, of what is said about a value beside it."""
_PAIR = words("n k v u t ts q")
"""A value with its unit, as short as can be."""
TOLD_KEYS = (
    "sensor", "parameter", "variable", "measurement", "metric", "quantity", "metrica", "grandezza", "tag", "point",
)  # fmt: skip
TYPE_KEYS = ("type", "sensorType", "sensor_type")
BESIDE_TOLD = BESIDE_VALUE | frozenset(TOLD_KEYS)
BESIDE_TAG = BESIDE_VALUE | words(
    """n k point pointname tag tagname parameter variable measurement metric valuetype resourcename profilename origin
    key port channel index address register status sensor measurementid"""
)


@lru_cache(maxsize=20_000)
def plain_key(key: str) -> str:
    """A key without case and signs."""
    return "".join(character for character in key[:40].lower() if character.isalnum())


ENVELOPES = (frozenset("stqc"),)
"""Keys that say nothing of a device where all of them stand together: Advantech WISE counts, judges and dates with
them."""
OF_UPDATES = words("title latestversion releaseurl releasesummary entitypicture inprogress updatepercentage")
"""What Home Assistant's updates say beside the version that is installed, and of nothing that is measured."""
ORDERED = ("parameters", "params")
"""What a command is about, beside its name."""
ENVELOPED = frozenset(("q", "coreid", "installed_version", "command"))
"""One of them stands in each document that is unwrapped."""
EVENT = frozenset(("name", "data", "published_at", "coreid"))
"""An event of Particle's cloud: what it is called, what the device said, when, and which device."""
TELEGRAM = words("Source Destination Data")
"""Keys of what was heard on a bus, as bytes."""


def unwrapped(document: dict[str, Any]) -> dict[str, Any]:
    """A document without such keys, except for the time; an event with what it says under its name."""
    for keys in ENVELOPES:
        if keys <= document.keys():
            return {key: value for key, value in document.items() if key not in keys or key == "t"}
    if "installed_version" in document:
        return {key: value for key, value in document.items() if plain_key(key) not in OF_UPDATES}
    if isinstance(document.get("command"), str) and any(isinstance(document.get(key), dict) for key in ORDERED):
        return {key: value for key, value in document.items() if key not in ORDERED and key != "command"}
    if document.keys() >= EVENT and isinstance(document["name"], str):
        return {document["name"]: document["data"], **{key: document[key] for key in ("published_at", "coreid")}}
    return document


def device_of(document: dict[str, Any], where: Place) -> DeviceRef:
    """Whose an object is: of whom it names, else of its topic."""
    topic = where.device.key
    who, name = who_speaks(document)
    if name and name not in topic:
        if who and who not in topic:
            return DeviceRef(f"{topic}#{name}#{who}", who)
        who = name  # what the topic says already tells nobody apart
    if not who or who == where.device.identifier:
        return where.device
    if who not in topic:
        return DeviceRef(f"{topic}#{who}", who)
    # Other topics may speak of it too, so the topic stays its key.
    return DeviceRef(topic, who) if len(who) >= LEAST_NAME and who in topic.split("/") else where.device


def known_before(device: DeviceRef) -> tuple[Moved, ...]:
    """The keys under which versions before knew a device that has a name beside its serial number: by the first."""
    topic, *parts = device.key.split("#")
    if len(parts) != 2:
        return ()
    return tuple([Moved(f"{topic}#{part}", "", device, "", rekeys=True) for part in parts])


MOST_KEYS = 1000
"""Among which a message says whose it is."""
LEAST_NAME = 4
"""A shorter level of a topic may be anything."""


def who_speaks(document: dict[str, Any]) -> tuple[str, str]:
    """What a message says of whose it is, and a name beside it; empty when it says nothing, so that the topic counts.

    The name is that of a device or of its type; one of several, perhaps, that a gateway with this number speaks for.
    """
    name = _own(document.get("device", document.get("Device")))
    if "[" in name:
        name = ""  # wmbusmeters: the receiver and its frequency
    lesser = ""
    for key, value in islice(document.items(), MOST_KEYS):
        plain = plain_key(key)
        if plain in OWN_KEYS and (who := _own(value)):
            return who, name
        if plain in WHO_KEYS and isinstance(value, dict) and (who := who_speaks(value)[0]):
            return who, name
        is_lesser = plain in LESSER_KEYS and isinstance(value, str) and not value.isdecimal()
        if is_lesser or (plain == "id" and isinstance(value, str) and MAC.fullmatch(value)):
            lesser = lesser or _own(value)
    return ("", name) if name else (lesser, "")


def _own(value: Any) -> str:
    is_text = isinstance(value, str | int) and not isinstance(value, bool)
    return clean(str(value)).strip()[:NAME_LENGTH] if is_text else ""


def value_of(document: dict[str, Any], beside: frozenset[str] = BESIDE_VALUE) -> tuple[str, bool]:
    """The key of the one value of such an object, empty when it is none; and whether older versions read it apart.

    Those read a value under its key, beside what is said about it.
    """
    if VALUE_KEYS.isdisjoint(document) and "v" not in document:
        return "", False
    keys = tuple(document)
    is_usual = len(keys) <= USUAL_KEYS and max(map(len, keys)) <= USUAL_LENGTH
    found, is_apart = (_known_shape if is_usual else _shape_of)(keys, beside)
    return (found, is_apart) if found and not isinstance(document[found], dict | list) else ("", False)


def told_name(document: dict[str, Any]) -> str:
    """What a message with one value says that it is: `{"sensor": "TCA", "value": 21.5}`; empty when it does not."""
    told = next((document[key] for key in TOLD_KEYS if isinstance(document.get(key), str)), "")
    if not told:
        told = next((document[key] for key in TYPE_KEYS if isinstance(document.get(key), str)), "")
        told = told if meaning(told).kind else ""
    return clean(told).strip()[:NAME_LENGTH]


def _shape_of(keys: tuple[str, ...], beside: frozenset[str]) -> tuple[str, bool]:
    """(the key that would be the one value, whether older versions read it apart)."""
    found = ""
    if "v" in keys and _PAIR.issuperset(keys) and ("u" in keys or ("n" in beside and ("n" in keys or "k" in keys))):
        found = "v"
    else:
        for key in keys:
            if key in VALUE_KEYS:
                if found:
                    return "", False
                found = key
            elif meaning(key).role is Role.VALUE and plain_key(key) not in beside:
                return "", False
    return found, found != "value" or any(meaning(one).role is Role.VALUE for one in keys if one != found)


USUAL_KEYS, USUAL_LENGTH = 8, 40
_known_shape = lru_cache(maxsize=5_000)(_shape_of)
"""Messages of one topic have the same keys: what they are is found once. A device may send others each time."""


QUALITY_KEYS = frozenset(("qc", "quality", "reliability", "q"))


def is_bad(document: dict[str, Any]) -> bool:
    """Whether a value's quality says that it is none."""
    if QUALITY_KEYS.isdisjoint(document):
        return False
    for key in QUALITY_KEYS:
        said = document.get(key)
        if (said == 0 and key == "qc") or said is False or (isinstance(said, str) and said[:3].lower() == "bad"):
            return True
    return False
