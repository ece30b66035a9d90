"""The filters of a connection, as rows below its form."""

from typing import Any

from django import forms
from django.forms.utils import ErrorDict
from django.utils.translation import gettext_lazy as _

from mqtt.decoders import registry
from mqtt.enums import QoS
from mqtt.models import MqttConnection, TopicSubscription
from mqtt.services.subscriptions import MAX_FILTERS, filter_errors

PREFIX = "filters"


def decoder_choices() -> list[tuple[str, Any]]:
    """The decoders that a person may pick instead of leaving it to the content."""
    return [("", _("by content")), *((name, name) for name in registry.BY_NAME)]


class SubscriptionForm(forms.Form):
    """One row; a row without a filter is left out."""

    topic_filter = forms.CharField(
        label=_("Topic filter"),
        max_length=1000,
        required=False,
        widget=forms.TextInput(
            attrs={
                "class": "mono",
                "placeholder": "site/+/temperature",
                "autocapitalize": "none",
                "spellcheck": "false",
            }
        ),
    )
    qos = forms.TypedChoiceField(label=_("QoS"), choices=QoS.choices, coerce=int, initial=QoS.AT_LEAST_ONCE)
    decoder = forms.ChoiceField(label=_("Read as"), choices=decoder_choices, required=False)
    is_active = forms.BooleanField(label=_("Active"), required=False, initial=True)

    def subscription(self) -> TopicSubscription:
        """The row as a subscription that is not stored yet; a stored one is known by its filter."""
        names = ("topic_filter", "qos", "decoder", "is_active")
        return TopicSubscription(**{name: self.cleaned_data[name] for name in names})


class BaseSubscriptionFormSet(forms.BaseFormSet):
    """All rows together: at least one filter, each good, no two for the same topics."""

    def clean(self) -> None:
        """Put each problem at its row, naming the other filter where two overlap."""
        rows = [form for form in self.filled() if not form.errors]
        filters = [(form.cleaned_data["topic_filter"], form.cleaned_data["is_active"]) for form in rows]
        for position, error in filter_errors(filters).items():
            rows[position].add_error("topic_filter", error)
        if not self.filled():
            raise forms.ValidationError(_("Write at least one topic filter, for example # for everything."))

    def add_fields(self, form: Any, index: int | None) -> None:
        """Say what ticking the box does: the row goes, nothing else."""
        super().add_fields(form, index)
        form.fields["DELETE"].label = _("Remove")

    def filled(self) -> list[Any]:
        """The rows that hold a filter and are not ticked for removal."""
        return [
            form
            for form in self.forms
            if form.data.get(form.add_prefix("topic_filter"), "").strip()
            and not form.data.get(form.add_prefix("DELETE"))
        ]

    def subscriptions(self) -> list[TopicSubscription]:
        """What the connection shall subscribe to; only after `is_valid()`."""
        return [form.subscription() for form in self.filled()]

    def unchecked(self) -> None:
        """Show the rows as typed, without errors: somebody only asked for one more."""
        self._errors: list[Any] = [ErrorDict() for _row in self.forms]
        self._non_form_errors = self.error_class()
        for form in self.forms:
            form._errors = ErrorDict()  # noqa: SLF001 - Django has no public way to bind without checking


SubscriptionFormSet: Any = forms.formset_factory(
    SubscriptionForm,
    formset=BaseSubscriptionFormSet,
    extra=0,
    can_delete=True,
    max_num=MAX_FILTERS,
    absolute_max=MAX_FILTERS,
    validate_max=True,
)


def shown_filters(connection: MqttConnection) -> BaseSubscriptionFormSet:
    """The rows of a page that is opened: the stored ones, or one for everything on a new connection."""
    rows: list[Any] = []
    if connection.pk:
        rows = list(connection.subscriptions.values("topic_filter", "qos", "decoder", "is_active"))
    everything = {"topic_filter": "#", "qos": QoS.AT_LEAST_ONCE, "is_active": True}
    formset: BaseSubscriptionFormSet = SubscriptionFormSet(initial=rows or [everything], prefix=PREFIX)
    return formset


def posted_filters(data: Any, *, one_more: bool = False) -> BaseSubscriptionFormSet:
    """The rows that were sent, with an empty one behind them when that was asked for."""
    if one_more:
        data = data.copy()
        given = str(data.get(f"{PREFIX}-TOTAL_FORMS", ""))
        count = min(int(given), MAX_FILTERS - 1) if given.isdecimal() and len(given) < 6 else 0
        data[f"{PREFIX}-TOTAL_FORMS"] = str(count + 1)
        data[f"{PREFIX}-{count}-qos"] = str(QoS.AT_LEAST_ONCE.value)
        data[f"{PREFIX}-{count}-is_active"] = "on"
    formset: BaseSubscriptionFormSet = SubscriptionFormSet(data, prefix=PREFIX)
    if one_more:
        formset.unchecked()
    return formset
