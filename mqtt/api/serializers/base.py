"""What all serializers share: unknown fields are errors, current values, and payloads as text."""

import codecs
from datetime import datetime
from typing import Any, ClassVar

from django.db import models
from django.utils.timezone import now
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from mqtt.api.serializers.quick import moment_text
from mqtt.models import Site, to_us
from mqtt.models.retention import LONGEST_DAYS
from mqtt.permissions import visible_to


class StrictBoolean(serializers.BooleanField):
    """true or false; not 0, "yes" or "off", which a program may have meant otherwise."""

    def to_internal_value(self, data: Any) -> Any:
        """Raises ValidationError for everything else."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class StrictText(serializers.CharField):
    """A text; a number or a list is none."""

    def to_internal_value(self, data: Any) -> Any:
        """Raises ValidationError for everything else."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class StrictInteger(serializers.IntegerField):
    """A whole number; not the same in quotation marks."""

    def to_internal_value(self, data: Any) -> Any:
        """Raises ValidationError for everything else."""
        if isinstance(data, bool | str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Moment(serializers.DateTimeField):
    """A time; read in any zone, without one in this console's, and answered in UTC."""

    def to_representation(self, value: Any) -> Any:
        """As in quick lists."""
        return moment_text(value) if isinstance(value, datetime) else super().to_representation(value)


class StrictModelSerializer(serializers.ModelSerializer):
    """Fields of a model as strict as those above."""

    serializer_field_mapping: ClassVar[dict[Any, Any]] = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.BooleanField: StrictBoolean,
        models.CharField: StrictText,
        models.DateTimeField: Moment,
        models.TextField: StrictText,
    }


class StrictMixin:
    """A field that is not known is an error that names it: a misspelled setting must not look as if it were stored."""

    def to_internal_value(self, data: Any) -> Any:
        """Compare the names first. Raises ValidationError."""
        if isinstance(data, dict):
            unknown = sorted(str(name) for name in data.keys() - self.fields.keys())  # type: ignore[attr-defined]
            if unknown:
                raise serializers.ValidationError({name[:100]: [_("There is no such field.")] for name in unknown[:20]})
        return super().to_internal_value(data)  # type: ignore[misc]


class SiteField(serializers.PrimaryKeyRelatedField):
    """A site that the asking user may see."""

    def get_queryset(self) -> Any:
        """Nothing without a request: then only the schema is made."""
        request = self.context.get("request")
        return visible_to(request.user, Site.objects.all()) if request else Site.objects.none()


@extend_schema_field({"oneOf": [{"type": "number"}, {"type": "string"}], "nullable": True})
class CurrentValueField(serializers.Field):
    """The number, or the text of a sensor that says words; null while nothing was heard."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(read_only=True, **kwargs)

    def get_attribute(self, instance: Any) -> Any:
        """The sensor: its value goes through its corrections."""
        return instance

    def to_representation(self, value: Any) -> float | str | None:
        """`value` is a sensor with its state and corrections loaded."""
        state = getattr(value, "state", None)
        if state is None or state.value is None:
            return state.text if state else None
        corrected: float = value.rules.apply(to_us(state.time or now()), state.value)
        return corrected


def text_of(payload: bytes) -> str | None:
    """Bytes as text, also when they were cut within a character; None when they are no UTF-8."""
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(bytes(payload), final=False)
    except UnicodeDecodeError:
        return None


class RetentionField(StrictInteger):
    """How many days history is kept; null: what is usual."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=LONGEST_DAYS, required=False, allow_null=True, **kwargs)
