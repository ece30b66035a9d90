"""What drf-spectacular cannot find out by itself."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field

from mqtt.filters import DeviceFilter

# A sensor has no site of its own to take the type from.
extend_schema_field(OpenApiTypes.INT)(DeviceFilter.filter_site)


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Our tokens in the schema."""

    target_class = "mqtt.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """A header; the word Token stands before the secret."""
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "Write `Token `, then the secret of a token from your account page.",
        }
