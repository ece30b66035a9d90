"""Messages that nothing understands, or that cannot be stored."""

from typing import Any

from django.utils.translation import gettext_lazy as _

REASONS: dict[str, Any] = {
    # undecoded messages
    "empty": _("The message has no content."),
    "not_utf8": _("The content is not text: byte %(position)s is not valid UTF-8."),
    "not_sparkplug": _("The content is no Sparkplug B payload."),
    "not_protobuf": _("The content is no protobuf message of the kind that its topic names."),
    "not_json": _("The content begins like JSON but is broken at character %(position)s."),
    "too_large": _("The content has %(size)s bytes; up to %(limit)s are decoded."),
    "too_deep": _("The JSON is nested deeper than %(limit)s levels."),
    "too_many_values": _("The message holds more than %(limit)s values."),
    "no_values": _("The message holds no value that can be stored as a reading."),
    "no_number": _("The value is no number that can be stored: it is not finite or missing."),
    "binary": _("The content holds control characters: it is binary data, not text."),
    "long_name": _("The name of the value is longer than %(limit)s characters."),
    "long_text": _("The content is a text of %(size)s characters, too long for a reading."),
    "topic_too_long": _("The topic has %(size)s bytes; devices are recognised by topics of up to %(limit)s."),
    "positions_aside": _(
        "A tracker's row of values without names, perhaps with a position, which is personal data. Map it by hand to "
        "say what to store."
    ),
    "foreign_advertisement": _("The Bluetooth advertisement of a device that is no Ruuvi: nothing here reads it."),
    "mapping_failed": _("The mapping of this topic does not fit the message: %(detail)s."),
    "mapping_found_nothing": _("The mapping of this topic found no value in the message."),
    # messages that cannot be stored
    "too_many_devices": _(
        "This connection already has %(limit)s devices or values, the most that are kept, so what is new in this "
        "message was not stored. Delete what is not needed, or subscribe to less."
    ),
    "too_many_new": _(
        "%(limit)s new devices an hour are taken, so that a broken publisher cannot flood the console; this was one "
        "too many. Accept the new ones to make room, or find who invents names."
    ),
    "refused_by_database": _("The database refused what this message holds: %(detail)s."),
    "unstorable": _("This message could not be kept, only where and when it came; the log has its beginning."),
    "decoder_failed": _("The decoder %(decoder)s failed on this message. Please report it."),
}
