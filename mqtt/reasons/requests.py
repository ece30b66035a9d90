"""What people ask for and do not get."""

from typing import Any

from django.utils.translation import gettext_lazy as _

REASONS: dict[str, Any] = {
    "not_enabled": _("%(name)s is disabled. Enable it first."),
    "name_taken": _("The name %(name)s is taken already. Choose another one."),
    "client_id_taken": _("Another connection already uses the client id %(client_id)s."),
    "client_id_leaving": _(
        "The client id %(client_id)s belongs to a connection that is being deleted. Choose another one, or try again "
        "when that is done."
    ),
    "secrets_for_new_address": _(
        "Host, port or transport change: give the stored password and client key again for the new address, or "
        "remove them."
    ),
    "not_held": _("No mqtt process holds this connection, so nothing is known of it. Start one with scripts/run."),
    "test_waits": _("No mqtt process has begun the test yet. Start one with scripts/run."),
    "no_such_role": _("There is no role %(role)s. Roles are viewer, operator and administrator."),
    "last_administrator": _("%(name)s is the last administrator. Make somebody else administrator first."),
    "clock_in_doubt": _(
        "This computer's clock looks wrong, so nothing is deleted for its age. See the page Health for why."
    ),
    "gone": _("%(name)s was deleted meanwhile."),
    "list_too_large": _("The file has more than %(limit)s MB. Take the devices of one connection at a time."),
    "list_too_long": _("The file has more than %(limit)s rows. Take the devices of one connection at a time."),
    "list_not_csv": _("This file cannot be read as CSV: %(detail)s."),
    "list_without_columns": _("The first row must name the columns; these are missing: %(names)s."),
    "list_column_twice": _("These columns stand twice in the first row: %(names)s."),
    "list_too_many_changes": _("So many changes do not go in one step. Take the devices of one connection at a time."),
    "list_changed_meanwhile": _("Somebody else changed %(name)s meanwhile. Look again at what would change."),
    "joined_with_itself": _("Choose another device of the same kind."),
    "joined_across": _("%(name)s and %(other)s are on different connections, and only devices of one can be joined."),
    "alias_announced": _(
        "%(name)s is announced on %(topic)s, so its next message would bind it here again. Delete that announcement "
        "first: publish an empty, retained message on its topic."
    ),
    "joined_key_too_long": _("The topics of the new device are too long for the names of the old one's sensors."),
    "corrected_then": _("There is already a correction from this moment on. Take that one back first."),
    "correction_without_gain": _("Gain, offset and zero reading are finite numbers, and the gain is not 0."),
}
