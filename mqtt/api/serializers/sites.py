"""Sites, so that a program can find the ids that filters take."""

from rest_framework import serializers

from mqtt.models import Site


class SiteSerializer(serializers.ModelSerializer):
    """A place with an installation."""

    class Meta:
        model = Site
        fields = ("id", "name", "address", "latitude", "longitude", "time_zone", "contact", "topic_prefix")
        read_only_fields = fields
