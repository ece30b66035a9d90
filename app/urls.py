"""Where each part of the console answers."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.generic import RedirectView

from mqtt.api.views.system import UnknownPath
from mqtt.views.admin_login import admin_login

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/", include("mqtt.api.urls")),
    re_path("^api/", UnknownPath.as_view()),
    path("admin/login/", admin_login),  # one login for pages and admin, behind one throttle
    path("admin/password_change/", RedirectView.as_view(pattern_name="password-change")),  # the same for passwords
    path("admin/", admin.site.urls),
    path("", include("mqtt.urls")),
]

handler400 = "mqtt.views.errors.bad_request"
handler403 = "mqtt.views.errors.permission_denied"
handler404 = "mqtt.views.errors.page_not_found"
handler500 = "mqtt.views.errors.server_error"
