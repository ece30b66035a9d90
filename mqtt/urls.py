"""The pages of the console."""

from django.contrib.auth.views import LogoutView
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from mqtt.views import account, actions, health, lists
from mqtt.views.overview import overview

urlpatterns: list[URLPattern | URLResolver] = [
    path("", overview, name="overview"),
    path("connections/", lists.connection_list, name="connection-list"),
    path("connections/<int:pk>/enable/", actions.connection_enable, name="connection-enable"),
    path("connections/<int:pk>/disable/", actions.connection_disable, name="connection-disable"),
    path("connections/<int:pk>/resubscribe/", actions.connection_resubscribe, name="connection-resubscribe"),
    path("connections/<int:pk>/retry/", actions.connection_retry, name="connection-retry"),
    path("gateways/", lists.gateway_list, name="gateway-list"),
    path("dataloggers/", lists.datalogger_list, name="datalogger-list"),
    path("sensors/", lists.sensor_list, name="sensor-list"),
    path("topics/", lists.topic_list, name="topic-list"),
    path("undecoded/", lists.undecoded_list, name="undecoded-list"),
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

# Rows link to pages of one object; until a page has a line of its own above, the link leads to its list.
urlpatterns += [
    path(f"{name}/<int:pk>/", RedirectView.as_view(pattern_name=f"{kind}-list"), name=f"{kind}-detail")
    for name, kind in (
        ("connections", "connection"),
        ("gateways", "gateway"),
        ("dataloggers", "datalogger"),
        ("sensors", "sensor"),
        ("topics", "topic"),
        ("undecoded", "undecoded"),
    )
]
