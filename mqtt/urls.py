"""The pages of the console."""

from django.contrib.auth.views import LogoutView
from django.urls import URLPattern, URLResolver, include, path

from mqtt.views import account, actions, connection_edit, details, device_edit, health, lists, publish, sites, tests
from mqtt.views.audit import audit_list
from mqtt.views.overview import overview
from mqtt.views.search import search_page

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
    path("connections/<int:pk>/retry/", actions.connection_retry, name="connection-retry"),
    path("sites/", sites.site_list, name="site-list"),
    path("sites/new/", sites.site_create, name="site-create"),
    path("sites/<int:pk>/", sites.site_detail, name="site-detail"),
    path("sites/<int:pk>/edit/", sites.site_edit, name="site-edit"),
    path("sites/<int:pk>/delete/", sites.site_delete, name="site-delete"),
    path("gateways/", lists.gateway_list, name="gateway-list"),
    path("gateways/<int:pk>/", details.gateway_detail, name="gateway-detail"),
    path("gateways/<int:pk>/edit/", device_edit.gateway_edit, name="gateway-edit"),
    path("dataloggers/", lists.datalogger_list, name="datalogger-list"),
    path("dataloggers/<int:pk>/", details.datalogger_detail, name="datalogger-detail"),
    path("dataloggers/<int:pk>/edit/", device_edit.datalogger_edit, name="datalogger-edit"),
    path("sensors/", lists.sensor_list, name="sensor-list"),
    path("sensors/<int:pk>/", details.sensor_detail, name="sensor-detail"),
    path("sensors/<int:pk>/edit/", device_edit.sensor_edit, name="sensor-edit"),
    path("topics/", lists.topic_list, name="topic-list"),
    path("topics/<int:pk>/", details.topic_detail, name="topic-detail"),
    path("undecoded/", lists.undecoded_list, name="undecoded-list"),
    path("undecoded/<int:pk>/", details.undecoded_detail, name="undecoded-detail"),
    path("commands/", lists.command_list, name="command-list"),
    path("commands/<int:pk>/", publish.command_detail, name="command-detail"),
    path("audit/", audit_list, name="audit-list"),
    path("search/", search_page, name="search"),
    path("healthz", health.healthz, name="healthz"),
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
