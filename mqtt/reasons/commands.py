"""Publishing: what cannot be sent, and what became of what was."""

from typing import Any

from django.utils.translation import gettext_lazy as _

REASONS: dict[str, Any] = {
    "topic_empty": _("Write a topic, for example hall/lamp/set."),
    "topic_wildcard": _("A message goes to one topic: + and # stand for many and may only be subscribed to."),
    "topic_signs": _("A topic has no control characters and no half characters."),
    "topic_length": _("A topic has at most %(limit)s characters."),
    "topic_reserved": _("Nothing can be published there: $share/ is for subscriptions, vedetta/…/status is our own."),
    "payload_too_large": _("The message has %(size)s bytes; at most %(limit)s can be published."),
    "too_many_commands": _("%(count)s messages wait for this connection already. Try again in a moment."),
    # what became of one
    "command_expired": _(
        "It was not sent: no mqtt process had a link to the broker within %(seconds)s s. It will not be sent any more."
    ),
    "command_link_down": _("It was not sent: the link to the broker broke before. It will not be sent any more."),
    "command_unconfirmed": _(
        "It was given to the broker, or nearly: the link or the process ended before an answer. It may have arrived. "
        "Look at the device before you send it again."
    ),
    "command_packet_too_large": _(
        "It was not sent: with its topic it has %(size)s bytes, and this broker takes at most %(limit)s."
    ),
    "command_unheard": _("The broker took it, but nobody is subscribed to this topic now."),
    "command_not_authorised": _("The broker does not let this client publish to the topic. Check its access rules."),
    "command_topic_refused": _("The broker does not accept this topic."),
    "command_quota": _("The broker says that a quota is exceeded."),
    "command_refused": _("The broker refused it: %(detail)s."),
    "command_failed": _("It could not be sent: %(detail)s."),
}
