"""The paths below /api/v1/."""

from django.urls import URLPattern, URLResolver, include, path, re_path
from rest_framework.routers import SimpleRouter

from mqtt.api import schema  # noqa: F401 - registers how tokens are described
from mqtt.api.views.care import CorrectionViewSet, MappingViewSet, NoteViewSet
from mqtt.api.views.charts import ChartView
from mqtt.api.views.commands import CommandViewSet
from mqtt.api.views.connections import ConnectionViewSet
from mqtt.api.views.devices import DataloggerViewSet, GatewayViewSet, SensorViewSet
from mqtt.api.views.sites import SiteViewSet
from mqtt.api.views.system import DocsView, HealthView, SchemaView, UnknownPath
from mqtt.api.views.topics import TopicViewSet, UndecodedViewSet

router = SimpleRouter()
router.register("connections", ConnectionViewSet, "api-connection")
router.register("sites", SiteViewSet, "api-site")
router.register("gateways", GatewayViewSet, "api-gateway")
router.register("dataloggers", DataloggerViewSet, "api-datalogger")
router.register("sensors", SensorViewSet, "api-sensor")
router.register("topics", TopicViewSet, "api-topic")
router.register("undecoded", UndecodedViewSet, "api-undecoded")
router.register("notes", NoteViewSet, "api-note")
router.register("corrections", CorrectionViewSet, "api-correction")
router.register("mappings", MappingViewSet, "api-mapping")

beside = SimpleRouter()
beside.register("commands", CommandViewSet, "api-command")

urlpatterns: list[URLPattern | URLResolver] = [
    path("mqtt/health/", HealthView.as_view(), name="api-health"),
    path("mqtt/charts/", ChartView.as_view(), name="api-chart"),
    path("mqtt/", include(router.urls)),
    path("", include(beside.urls)),
    path("schema/", SchemaView.as_view(), name="api-schema"),
    path("docs/", DocsView.as_view(), name="api-docs"),
    re_path("", UnknownPath.as_view(), name="api-unknown"),
]
