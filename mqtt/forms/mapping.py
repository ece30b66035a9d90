"""The form of a mapping, its value rows, and what a click on the payload does to them."""

import re
from typing import Any

from django import forms
from django.forms.utils import ErrorDict
from django.utils.translation import gettext_lazy as _

from mqtt import reasons
from mqtt.decoders.mapping import level_names, path_error, pattern_error
from mqtt.forms.seen import SeenMixin
from mqtt.models import Mapping
from mqtt.services.mappings import VALUE_FIELDS

PREFIX = "values"
MOST_VALUES = 100
PLAIN = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false", "class": "mono"}
SEPARATORS = [
    ("", _("no columns: JSON or one value")),
    (",", ","),
    (";", ";"),
    ("\t", _("tab")),
    (" ", _("blank")),
    ("|", "|"),
]


class PathField(forms.CharField):
    """A JMESPath expression; empty says that there is none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=500, required=False, widget=forms.TextInput(attrs=PLAIN), **kwargs)

    def validate(self, value: str) -> None:
        """Say what the library says."""
        super().validate(value)
        if error := path_error(value):
            raise forms.ValidationError(_("This is no path into the payload: %(error)s"), params={"error": error})


class MappingForm(SeenMixin, forms.ModelForm):
    """Where a mapping applies, and where device and time stand."""

    items_path = PathField(
        label=_("List of entries"),
        help_text=_("When one message holds several devices or moments: the list, for example data[*]. Empty: one."),
    )
    device_path = PathField(label=_("Device, from the payload"))
    time_path = PathField(label=_("Time, from the payload"), help_text=_("Empty: the time of receipt."))
    separator = forms.ChoiceField(label=_("Columns are separated by"), choices=SEPARATORS, required=False)

    class Meta:
        model = Mapping
        fields = [
            "name",
            "topic_pattern",
            "connection",
            "is_active",
            "device",
            "device_path",
            "items_path",
            "time_path",
            "time_format",
            "separator",
            "decimal_comma",
        ]
        error_messages = {"name": {"unique": _("Another mapping has this name.")}}
        widgets = {
            "name": forms.TextInput(attrs={"autocomplete": "off"}),
            "topic_pattern": forms.TextInput(attrs=PLAIN),
            "device": forms.TextInput(attrs=PLAIN),
            "time_format": forms.TextInput(attrs={**PLAIN, "placeholder": "%d/%m/%Y %H:%M:%S"}),
        }
        help_texts = {
            "topic_pattern": _(
                "As a filter with + and #; {name} names a level for use below, for example plant/{box}/#."
            ),
            "device": _("Its name, with levels of the topic in braces, for example {box}. Empty: the whole topic."),
            "time_format": _("Only for times that are neither ISO 8601 nor seconds since 1970."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["connection"].empty_label = _("all")  # type: ignore[attr-defined]
        self.fields["connection"].help_text = ""
        self._stored_values = list(self.instance.values)  # before the view writes what was sent into it

    def beside(self) -> dict[Any, Any]:
        """The values, which are rows of a form of their own."""
        return {_("Values"): self._stored_values}

    def clean_topic_pattern(self) -> str:
        """A filter whose levels may have names."""
        pattern = str(self.cleaned_data["topic_pattern"])
        if error := pattern_error(pattern):
            raise forms.ValidationError(reasons.explain(error, {}))
        return pattern

    def clean_device(self) -> str:
        """Only levels that the pattern names."""
        return self._known_levels(str(self.cleaned_data["device"]))

    def _known_levels(self, template: str) -> str:
        known = level_names(str(self.cleaned_data.get("topic_pattern", "")))
        unknown = sorted(set(level_names(template)) - set(known))
        if unknown and "topic_pattern" in self.cleaned_data:
            raise forms.ValidationError(_("The topics have no level {%(level)s}."), params={"level": unknown[0]})
        return template


class ValueForm(forms.Form):
    """One value of the payload."""

    path = PathField(label=_("Value"))
    name = forms.CharField(label=_("Name"), max_length=120, required=False, widget=forms.TextInput(attrs=PLAIN))
    name_path = PathField(label=_("Name, from the payload"))
    unit = forms.CharField(label=_("Unit"), max_length=40, required=False, widget=forms.TextInput(attrs=PLAIN))
    kind = forms.CharField(label=_("Kind"), max_length=40, required=False, widget=forms.TextInput(attrs=PLAIN))


class BaseValueFormSet(forms.BaseFormSet):
    """All values; rows without a path are left out."""

    def add_fields(self, form: Any, index: int | None) -> None:
        """Say what ticking the box does."""
        super().add_fields(form, index)
        form.fields["DELETE"].label = _("Remove")

    def filled(self) -> list[dict[str, str]]:
        """The rules of the rows that hold a path and are not ticked for removal."""
        rows = [getattr(form, "cleaned_data", {}) for form in self.forms]
        kept = [row for row in rows if row.get("path") and not row["DELETE"]]
        return [{name: str(row.get(name, "")) for name in VALUE_FIELDS} for row in kept]

    def clean(self) -> None:
        """A mapping without a value maps nothing."""
        if not any(self.errors) and not self.filled():
            raise forms.ValidationError(_("Take at least one value: click on it in the payload."))


ValueFormSet: Any = forms.formset_factory(
    ValueForm,
    formset=BaseValueFormSet,
    extra=0,
    can_delete=True,
    max_num=MOST_VALUES,
    absolute_max=MOST_VALUES,
    validate_max=True,
)


def shown_values(values: list[dict[str, str]]) -> BaseValueFormSet:
    """The rows of a page that is opened."""
    formset: BaseValueFormSet = ValueFormSet(initial=values, prefix=PREFIX)
    return formset


def posted_values(data: Any) -> BaseValueFormSet:
    """The rows that were sent."""
    formset: BaseValueFormSet = ValueFormSet(data, prefix=PREFIX)
    return formset


def unchecked(form: Any, formset: Any) -> None:
    """Show both as typed, without errors: somebody is still choosing."""
    for one in (form, *formset.forms):
        one._errors = ErrorDict()  # noqa: SLF001 - Django has no public way to bind without checking
    formset._errors = [ErrorDict() for _row in formset.forms]  # noqa: SLF001
    formset._non_form_errors = formset.error_class()  # noqa: SLF001


def with_pick(data: Any, role: str, path: str) -> Any:
    """The sent data after a click in the payload: `path` is taken as value, name, time or device."""
    data = data.copy()
    given = str(data.get(f"{PREFIX}-TOTAL_FORMS", ""))
    count = min(int(given), MOST_VALUES) if given.isdecimal() and len(given) < 6 else 0
    if role == "time":
        data["time_path"] = path
    elif role == "device":
        data["device_path"] = path
    elif role == "name" and count:
        data[f"{PREFIX}-{count - 1}-name_path"] = path
    elif count < MOST_VALUES:
        data[f"{PREFIX}-TOTAL_FORMS"] = str(count + 1)
        data[f"{PREFIX}-INITIAL_FORMS"] = "0"
        data[f"{PREFIX}-{count}-path"] = path
        data[f"{PREFIX}-{count}-name"] = _last_key(path)
    return data


def _last_key(path: str) -> str:
    """`air."temp C"` -> temp C; `@` and bare indexes name nothing."""
    found = re.search(r'(?:"((?:[^"\\]|\\.)*)"|([A-Za-z_]\w*))(?:\[\d+\])*$', path)
    return (found.group(1) or found.group(2)).replace('\\"', '"')[:120] if found else ""
