"""What others saved while somebody had a form open is not overwritten unseen.

The page carries a digest of each stored value. Where a stored value is another one by the time the form comes back,
and not the one that was written, nothing is stored: the page names the fields and asks once more.
"""

from hashlib import sha256
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _

CODE = "changed_meanwhile"
NAME = "seen"


class SeenMixin:
    """For model forms, before ModelForm; a form that comes without digests, from a program, is not held back."""

    instance: Any
    fields: dict[str, forms.Field]
    data: Any
    initial: Any
    changed_data: list[str]
    add_error: Any
    has_error: Any

    def beside(self) -> dict[Any, Any]:
        """{label: stored value} of what the page shows in other forms; it counts as written in any case."""
        return {}

    def seen_input(self) -> SafeString | str:
        """The hidden field. After other errors it stays what it was: what has changed was not told yet."""
        if not self.instance.pk:
            return ""
        sent = str(self.data.get(NAME, ""))
        is_told = not sent or self.has_error(NON_FIELD_ERRORS, CODE)
        digests = (f"{name}:{digest}" for name, digest in self._stored().items())
        return format_html('<input type="hidden" name="{}" value="{}">', NAME, " ".join(digests) if is_told else sent)

    def clean(self) -> dict[str, Any]:
        """Refuse what would take back another person's change."""
        cleaned: dict[str, Any] = super().clean()  # type: ignore[misc]
        labels = self._taken_back()
        if labels:
            sentence = _(
                "Somebody else changed this while you had it open: %(fields)s. "
                "Below stands what you wrote; save again to store it all the same."
            )
            names = ", ".join(capfirst(str(label)) for label in labels)
            self.add_error(None, forms.ValidationError(sentence, code=CODE, params={"fields": names}))
        return cleaned

    def _taken_back(self) -> list[Any]:
        """The labels of what others changed and this form would change again."""
        sent = (one.partition(":") for one in str(self.data.get(NAME, "")).split())
        seen = {name: digest for name, _colon, digest in sent}
        if not seen or not self.instance.pk:
            return []
        others = [name for name, digest in self._stored().items() if seen.get(name, digest) != digest]
        labels = [self.fields[name].label for name in others if name in self.changed_data]
        return labels + [label for place, label in enumerate(self.beside()) if f"beside-{place}" in others]

    def _stored(self) -> dict[str, str]:
        values = {name: self.initial.get(name) for name in self.fields if name in self.initial}
        values |= {f"beside-{place}": value for place, value in enumerate(self.beside().values())}
        return {
            name: sha256(str(value).encode("utf-8", "surrogatepass")).hexdigest()[:10] for name, value in values.items()
        }
