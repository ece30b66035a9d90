"""Health, schema and the page that explains the API."""

from typing import Any

from django.contrib.auth.mixins import LoginRequiredMixin
from django.utils.translation import gettext as _
from drf_spectacular.renderers import (
    OpenApiJsonRenderer,
    OpenApiJsonRenderer2,
    OpenApiYamlRenderer,
    OpenApiYamlRenderer2,
)
from drf_spectacular.utils import OpenApiResponse, extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework import status
from rest_framework.exceptions import NotFound
from rest_framework.renderers import TemplateHTMLRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from mqtt.api.serializers.devices import HealthSerializer
from mqtt.services.health import READINESS, HealthState, check_health


class HealthView(APIView):
    """Up or down, for whoever asks; what exactly is wrong says `manage.py check_health`."""

    authentication_classes = ()
    permission_classes = ()

    @extend_schema(
        auth=[],
        responses={200: HealthSerializer, 503: OpenApiResponse(HealthSerializer, description="Down.")},
    )
    def get(self, request: Request) -> Response:
        """200 up, 503 down."""
        health = check_health()
        READINESS.note(health)
        if health.state is not HealthState.DOWN:
            return Response({"status": "up"})
        answer = Response({"status": "down"}, status.HTTP_503_SERVICE_UNAVAILABLE)
        answer._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001 - Django would log each as an error
        return answer


class SchemaView(SpectacularAPIView):
    """OpenAPI 3 as JSON, or as YAML for who asks for it."""

    renderer_classes = [OpenApiJsonRenderer2, OpenApiJsonRenderer, OpenApiYamlRenderer, OpenApiYamlRenderer2]


class DocsView(LoginRequiredMixin, SpectacularSwaggerSplitView):
    """Swagger, from this console's own static files."""

    template_name = "mqtt/api_docs.html"
    renderer_classes = [TemplateHTMLRenderer]
    url_name = "api-schema"


class UnknownPath(APIView):
    """What stands below /api/ and is nothing: 404 in JSON for every method, with or without a login."""

    schema = None
    authentication_classes = ()
    permission_classes = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Runs before any method is looked for."""
        raise NotFound(_("There is no such path. Paths end with a slash; see /api/v1/docs/."))
