"""What the administration calls fields that no form asks for; Django would show their code names.

Written into the fields and not into the models, whose names belong to the migrations, although no database knows them.
"""

from typing import Any

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

FIELDS: dict[str, Any] = {
    "accepted_at": _("accepted"),
    "amount": _("how many"),
    "at": _("time"),
    "author": _("account of the author"),
    "changed_at": _("changed"),
    "client_key_token": _("client key, encrypted"),
    "connection": _("connection"),
    "context": _("facts of the reason"),
    "created_at": _("first heard or made"),
    "data": _("content"),
    "datalogger": _("datalogger"),
    "deleted_at": _("deleted"),
    "devices_version": _("state of the devices"),
    "digest": _("digest of the token"),
    "done": _("done so far"),
    "dropped_total": _("messages dropped"),
    "error": _("error"),
    "expires_at": _("expires"),
    "facts": _("what it says of itself"),
    "family": _("family"),
    "finished_at": _("ended"),
    "from_status": _("status before"),
    "gateway": _("gateway"),
    "granted_qos": _("QoS granted"),
    "holder": _("mqtt process"),
    "id": _("number"),
    "key": _("key"),
    "kind": _("kind"),
    "label": _("label"),
    "lag_seconds": _("seconds behind"),
    "last_connected_at": _("last connected"),
    "last_message_at": _("last message"),
    "last_payload": _("last payload"),
    "last_qos": _("QoS of the last message"),
    "last_retained": _("last message kept by the broker"),
    "last_size": _("bytes of the last message"),
    "last_used_at": _("last used"),
    "measured_at": _("measured"),
    "message_rate": _("messages a second"),
    "messages_total": _("messages"),
    "name": _("name"),
    "next_retry_at": _("next try"),
    "object_id": _("number of the object"),
    "password_token": _("password, encrypted"),
    "payload": _("payload"),
    "previous_payload": _("payload before"),
    "qos": _("QoS"),
    "read_again": _("decoded again"),
    "reading_rate": _("readings a second"),
    "readings_total": _("readings"),
    "reason": _("code of the reason"),
    "reason_context": _("facts of the reason"),
    "refused_total": _("messages refused"),
    "repeated_total": _("messages repeated"),
    "requested_at": _("asked for"),
    "requested_by": _("asked for by"),
    "resubscribe_requested_at": _("asked to subscribe again"),
    "retained": _("kept by the broker"),
    "retry_count": _("tries in vain"),
    "sensor": _("sensor"),
    "sensors": _("sensors"),
    "session_client_id": _("client id of the session"),
    "session_filters": _("filters of the session"),
    "session_open": _("session open"),
    "settings_revision": _("version of the settings"),
    "started_at": _("begun"),
    "state": _("state"),
    "statistics_refused": _("broker's own figures refused"),
    "status": _("status"),
    "status_changed_at": _("status since"),
    "status_context": _("facts of the reason"),
    "status_reason": _("code of the reason"),
    "steps": _("steps"),
    "to_status": _("status"),
    "token": _("token of the lease"),
    "topics": _("topics"),
    "total": _("total"),
    "undecoded_total": _("messages not understood"),
    "updated_at": _("last changed"),
    "used": _("used"),
    "user": _("account"),
    "work": _("work"),
}
SENTENCES: dict[str, Any] = {"reason_detail": _("why"), "detail": _("why")}
"""Properties of models that say a reason in the reader's language."""


def give_words() -> None:
    """Name the fields of all models of the administration that have no name of their own."""
    shown: dict[Any, Any] = admin.site._registry  # noqa: SLF001 - there is no public list of them
    inlines = [inline.model for model_admin in shown.values() for inline in model_admin.inlines]
    for model in (*shown, *inlines):
        options = model._meta  # noqa: SLF001 - Django's public name for it
        if options.app_label != "mqtt":
            continue
        for field in options.get_fields():
            if field.name in FIELDS and isinstance(getattr(field, "verbose_name", None), str):
                field.verbose_name = FIELDS[field.name]
        for name, word in SENTENCES.items():
            said = getattr(model, name, None)
            if isinstance(said, property):
                said.fget.short_description = word  # type: ignore[union-attr]
