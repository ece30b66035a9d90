"""The pages of the console."""

from django.contrib.auth.views import LogoutView
from django.urls import URLPattern, URLResolver, include, path

from mqtt.enums import NodeKind
from mqtt.views import (
    account,
    actions,
    connection_edit,
    corrections,
    details,
    device_care,
    device_edit,
    device_list,
    discovery,
    exports,
    health,
    lists,
    mappings,
    notes,
    publish,
    sites,
    tail,
    tests,
    topics,
    undecoded,
)
from mqtt.views.audit import audit_list
from mqtt.views.overview import overview
from mqtt.views.search import search_page


def _care(kind: NodeKind) -> list[URLPattern]:
    """Replacing, merging and deleting a device of a kind; a sensor has no place of its own to be replaced at."""
    views = {"care": device_care.device_care, "merge": device_care.device_merge, "delete": device_care.device_delete}
    if kind != NodeKind.SENSOR:
        views["replace"] = device_care.device_replace
    return [
        path(f"{kind}s/<int:pk>/{name}/", view, {"kind": kind}, name=f"{kind}-{name}") for name, view in views.items()
    ]


urlpatterns: list[URLPattern | URLResolver] = [
    path("", overview, name="overview"),
    path("connections/", lists.connection_list, name="connection-list"),
    path("connections/new/", connection_edit.connection_create, name="connection-create"),
    path("connections/<int:pk>/", details.connection_detail, name="connection-detail"),
    path("connections/<int:pk>/edit/", connection_edit.connection_edit, name="connection-edit"),
    path("connections/<int:pk>/delete/", connection_edit.connection_delete, name="connection-delete"),
    path("connections/<int:pk>/enable/", actions.connection_enable, name="connection-enable"),
    path("connections/<int:pk>/disable/", actions.connection_disable, name="connection-disable"),
    path("connections/<int:pk>/resubscribe/", actions.connection_resubscribe, name="connection-resubscribe"),
    path("connections/<int:pk>/test/", tests.connection_test, name="connection-test"),
    path("connections/<int:pk>/publish/", publish.connection_publish, name="connection-publish"),
    path("connections/<int:pk>/tail/", tail.connection_tail, name="connection-tail"),
    path("connections/<int:pk>/note/", notes.note_add, {"kind": NodeKind.CONNECTION}, name="connection-note"),
    path("connections/<int:pk>/retry/", actions.connection_retry, name="connection-retry"),
    path("sites/", sites.site_list, name="site-list"),
    path("sites/new/", sites.site_create, name="site-create"),
    path("sites/<int:pk>/", sites.site_detail, name="site-detail"),
    path("sites/<int:pk>/edit/", sites.site_edit, name="site-edit"),
    path("sites/<int:pk>/note/", notes.note_add, {"kind": NodeKind.SITE}, name="site-note"),
    path("sites/<int:pk>/delete/", sites.site_delete, name="site-delete"),
    path("gateways/", lists.gateway_list, name="gateway-list"),
    path("gateways/<int:pk>/", details.gateway_detail, name="gateway-detail"),
    path("gateways/accept/", discovery.gateways_accept, name="gateways-accept"),
    path("gateways/<int:pk>/accept/", discovery.gateway_accept, name="gateway-accept"),
    path("gateways/<int:pk>/note/", notes.note_add, {"kind": NodeKind.GATEWAY}, name="gateway-note"),
    *_care(NodeKind.GATEWAY),
    path("gateways/<int:pk>/edit/", device_edit.gateway_edit, name="gateway-edit"),
    path("dataloggers/", lists.datalogger_list, name="datalogger-list"),
    path("dataloggers/<int:pk>/", details.datalogger_detail, name="datalogger-detail"),
    path("dataloggers/accept/", discovery.dataloggers_accept, name="dataloggers-accept"),
    path("dataloggers/<int:pk>/accept/", discovery.datalogger_accept, name="datalogger-accept"),
    path("dataloggers/<int:pk>/note/", notes.note_add, {"kind": NodeKind.DATALOGGER}, name="datalogger-note"),
    path("dataloggers/<int:pk>/export/", exports.datalogger_export, name="datalogger-export"),
    *_care(NodeKind.DATALOGGER),
    path("dataloggers/<int:pk>/edit/", device_edit.datalogger_edit, name="datalogger-edit"),
    path("aliases/<int:pk>/release/", device_care.alias_release, name="alias-release"),
    path("devices/", device_list.device_list, name="device-list"),
    path("devices/file/", device_list.device_list_file, name="device-list-file"),
    path("devices/upload/", device_list.device_list_upload, name="device-list-upload"),
    path("sensors/", lists.sensor_list, name="sensor-list"),
    path("sensors/<int:pk>/", details.sensor_detail, name="sensor-detail"),
    path("sensors/<int:pk>/export/", exports.sensor_export, name="sensor-export"),
    *_care(NodeKind.SENSOR),
    path("sensors/<int:pk>/edit/", device_edit.sensor_edit, name="sensor-edit"),
    path("sensors/<int:pk>/note/", notes.note_add, {"kind": NodeKind.SENSOR}, name="sensor-note"),
    path("sensors/<int:pk>/corrections/new/", corrections.correction_create, name="sensor-correction-create"),
    path("corrections/<int:pk>/delete/", corrections.correction_delete, name="correction-delete"),
    path("notes/<int:pk>/", notes.note_change, name="note-change"),
    path("notes/<int:pk>/delete/", notes.note_remove, name="note-remove"),
    path("topics/", lists.topic_list, name="topic-list"),
    path("topics/tree/", topics.topic_tree, name="topic-tree"),
    path("topics/ignore/", topics.topics_ignore, name="topics-ignore"),
    path("topics/<int:pk>/purge/", topics.topic_purge, name="topic-purge"),
    path("topics/<int:pk>/", details.topic_detail, name="topic-detail"),
    path("undecoded/", lists.undecoded_list, name="undecoded-list"),
    path("undecoded/<int:pk>/", details.undecoded_detail, name="undecoded-detail"),
    path("undecoded/again/", undecoded.undecoded_again, name="undecoded-again"),
    path("commands/", lists.command_list, name="command-list"),
    path("commands/<int:pk>/", publish.command_detail, name="command-detail"),
    path("mappings/", mappings.mapping_list, name="mapping-list"),
    path("mappings/new/", mappings.mapping_create, name="mapping-create"),
    path("mappings/<int:pk>/", mappings.mapping_edit, name="mapping-edit"),
    path("mappings/<int:pk>/delete/", mappings.mapping_delete, name="mapping-delete"),
    path("audit/", audit_list, name="audit-list"),
    path("search/", search_page, name="search"),
    path("healthz", health.healthz, name="healthz"),
    path("metrics", health.metrics, name="metrics"),
    path("health/", health.health_page, name="health"),
    path("health/clock/", health.clock_confirm, name="clock-confirm"),
    path("readyz", health.readyz, name="readyz"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("login/", account.ConsoleLoginView.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("account/", account.account, name="account"),
    path("account/password/", account.password_change, name="password-change"),
    path("account/tokens/", account.token_list, name="token-list"),
    path("account/tokens/new/", account.token_create, name="token-create"),
    path("account/tokens/<int:pk>/revoke/", account.token_revoke, name="token-revoke"),
]
