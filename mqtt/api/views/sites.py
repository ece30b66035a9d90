"""Sites, read only."""

from rest_framework.viewsets import ReadOnlyModelViewSet

from mqtt.api.serializers.sites import SiteSerializer
from mqtt.api.views.base import VisibleMixin
from mqtt.filters import SiteFilter
from mqtt.models import Site


class SiteViewSet(VisibleMixin, ReadOnlyModelViewSet):
    """Sites, by name."""

    rows = Site.objects.all()
    queryset = Site.objects.none()
    serializer_class = SiteSerializer
    filterset_class = SiteFilter
    ordering_fields = ("id", "name")
    ordering = ("name",)
    lookup_value_regex = "[0-9]{1,18}"
