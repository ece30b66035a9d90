"""Topic filters that are against the rules, and what a broker answers to good ones."""

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
    "pattern_twice": _("Two levels of the pattern have the same name."),
    "pattern_level": _("Write + alone in its level, and names as {name} with letters, digits and _ only."),
    # a broker's answer to one topic filter
    "filter_refused": _("The broker refuses this filter. Check its access rules."),
    "filter_not_authorised": _("This client may not subscribe to this filter. Check the broker's access rules."),
    "filter_invalid": _("The broker says that this filter is not valid."),
    "filter_quota": _("The broker allows no more subscriptions for this client."),
    "filter_unsupported": _("The broker does not support this kind of filter: %(detail)s."),
    "filter_qos_lowered": _("The broker grants QoS %(granted)s instead of %(wanted)s."),
}
