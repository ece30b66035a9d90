"""How long something lasts, written for a reader: 60 s, 2.5 min, 24 h, 7 d."""

from django.utils.formats import number_format
from django.utils.translation import gettext as _


def span(seconds: float) -> str:
    """Seconds in the one unit that is read most easily, with a decimal only where it matters."""
    if seconds < 120:
        return _("%(n)s s") % {"n": _amount(seconds)}
    if seconds < 2 * 3600:
        return _("%(n)s min") % {"n": _amount(seconds / 60)}
    if seconds < 48 * 3600:
        return _("%(n)s h") % {"n": _amount(seconds / 3600)}
    return _("%(n)s d") % {"n": _amount(seconds / 86400)}


def _amount(value: float) -> str:
    rounded = round(value, 0 if value >= 10 else 1)
    return number_format(rounded, 0 if rounded == int(rounded) else 1)
