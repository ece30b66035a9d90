"""Why something failed, as a code with its facts in the database and a sentence in the reader's language here.

Each sentence says what happened, where, and what to do. Facts come from devices and brokers: they are
filled in as plain text and escaped by the template.
"""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

REASONS: dict[str, Any] = {
    # topic filters
    "filter_empty": _("Write a topic filter, for example site/+/temperature or # for everything."),
    "filter_length": _("A topic filter has at most 65,535 bytes and no NUL character."),
    "filter_share": _("A shared subscription is written $share/group/filter."),
    "filter_hash_last": _("# may stand only as the last level, for example site/#."),
    "filter_wildcard_alone": _("+ and # must fill a level alone, for example site/+/value."),
    "filter_overlap": _(
        "This filter and %(other)s cover the same topics; some brokers then deliver messages twice. Keep one of them."
    ),
    "filter_twice": _("This filter stands here twice. Keep one of them."),
    "filter_count": _("A connection has at most %(limit)s filters. One # covers everything."),
    # requests that are refused
    "not_enabled": _("%(name)s is disabled. Enable it first."),
    "name_taken": _("Another connection already has the name %(name)s."),
    "client_id_taken": _("Another connection already uses the client id %(client_id)s."),
    "enabled_while_deleted": _("Somebody enabled %(name)s while it was being deleted, so it was kept."),
    "no_such_role": _("There is no role %(role)s. Roles are viewer, operator and administrator."),
    "last_administrator": _("%(name)s is the last administrator. Make somebody else administrator first."),
    "gone": _("%(name)s was deleted meanwhile."),
    # undecoded messages
    "empty": _("The message has no content."),
    "not_utf8": _("The content is not text: byte %(position)s is not valid UTF-8."),
    "not_json": _("The content begins like JSON but is broken: %(detail)s."),
    "too_large": _("The content has %(size)s bytes; up to %(limit)s are decoded."),
    "too_deep": _("The JSON is nested deeper than %(limit)s levels."),
    "too_many_values": _("The message holds more than %(limit)s values."),
    "no_values": _("The message holds no value that can be stored as a reading."),
    "no_number": _("The value is no number that can be stored: it is not finite or missing."),
    "binary": _("The content holds control characters: it is binary data, not text."),
    "long_name": _("The name of the value is longer than %(limit)s characters."),
    "long_text": _("The content is a text of %(size)s characters, too long for a reading."),
    "topic_too_long": _("The topic has %(size)s bytes; devices are recognised by topics of up to %(limit)s."),
    "refused_by_database": _("The database refused what this message holds: %(detail)s."),
    "decoder_failed": _("The decoder %(decoder)s failed on this message. Please report it."),
}


def explain(code: str, context: Mapping[str, Any] | None = None) -> str:
    """The sentence for a reason in the active language; an unknown code is shown as it is."""
    if not code:
        return ""
    sentence = REASONS.get(code)
    if sentence is None:
        return code
    try:
        return str(sentence) % (context or {})
    except (KeyError, ValueError, TypeError):
        return str(sentence)
