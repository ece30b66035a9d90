"""What drf-spectacular cannot find out by itself."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerFieldExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field

from mqtt.filters import DeviceFilter, TopicFilter
from mqtt.models.device import LONGEST_INTERVAL

# A sensor has no site of its own to take the type from.
extend_schema_field(OpenApiTypes.INT)(DeviceFilter.filter_site)
extend_schema_field({"type": "boolean"})(TopicFilter.filter_undecoded)
extend_schema_field({"type": "boolean"})(DeviceFilter.filter_new)


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Our tokens in the schema."""

    target_class = "mqtt.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """A header; the word Token or Bearer stands before the secret."""
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "Write `Token ` or `Bearer `, then the secret of a token from your account page.",
        }


ERROR = {
    "type": "object",
    "description": "What went wrong, in the request's language; `code` where a program can tell the reason by it.",
    "properties": {"detail": {"type": "string"}, "code": {"type": "string"}},
    "required": ["detail"],
}
FIELD_ERRORS = {
    "type": "object",
    "description": "{field or parameter: sentences}, nested like what was sent; `detail` when it cannot be read.",
    "additionalProperties": {},
}
SENTENCES = {
    "400": "Something sent is not acceptable; says which field or parameter, and why.",
    "401": "Nobody is logged in, or the token is unknown, expired or revoked.",
    "403": "Your role does not allow this.",
    "404": "There is no such thing, page or path.",
    "406": "Only JSON can be had.",
    "409": "Not possible as things stand now; `code` says why.",
    "413": "The body is too large.",
    "415": "The body is not JSON.",
    "429": "Too many calls; `Retry-After` says when to go on.",
    "500": "A failure inside; the log of the console says more.",
    "503": "The database does not answer.",
}
ALWAYS = ("404", "406", "429", "500", "503")


class ExpectedIntervalSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Written in whole seconds, read as what may have been learned."""

    target_class = "mqtt.api.serializers.devices.ExpectedIntervalField"

    def map_serializer_field(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        """The schema for one of both directions."""
        if direction == "request":
            return {"type": "integer", "minimum": 1, "maximum": LONGEST_INTERVAL}
        return {"type": "number", "minimum": 0}


def document_errors(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add to every operation the errors that it can answer with; called by drf-spectacular."""
    schemas = result["components"]["schemas"]
    schemas |= {"Error": ERROR, "FieldErrors": FIELD_ERRORS}
    if "oneOf" in schemas.get("History", {}):  # an empty page is both
        schemas["History"]["anyOf"] = schemas["History"].pop("oneOf")
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            for code in _possible(path, method, operation):
                kind = "FieldErrors" if code == "400" else "Error"
                content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{kind}"}}}
                operation["responses"].setdefault(code, {"description": SENTENCES[code], "content": content})
    return result


def _possible(path: str, method: str, operation: dict[str, Any]) -> list[str]:
    codes = {*ALWAYS}
    if operation.get("security") != [{}]:
        codes |= {"401", "403"}
    if operation.get("parameters") or operation.get("requestBody"):
        codes.add("400")
    if method != "get":
        codes |= {"409", "413", "415", "400"}
    return sorted(codes)
