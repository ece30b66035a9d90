"""Writing notes on things, changing and deleting one's own."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from mqtt import reasons
from mqtt.enums import NodeKind
from mqtt.exceptions import ServiceError
from mqtt.forms.note import NoteForm
from mqtt.models import Note
from mqtt.permissions import OPERATE, visible_to
from mqtt.services import notes
from mqtt.views.actions import actor_of
from mqtt.views.guard import needs


@needs(OPERATE)
@require_http_methods(["GET", "POST"])
def note_add(request: HttpRequest, pk: int, kind: NodeKind) -> HttpResponse:
    """A new note on a thing of a kind."""
    thing = get_object_or_404(visible_to(request.user, notes.NOTABLE[kind].objects.all()), pk=pk)
    return _edit(request, notes.new_note(thing), thing)


@needs(OPERATE)
@require_http_methods(["GET", "POST"])
def note_change(request: HttpRequest, pk: int) -> HttpResponse:
    """Another time or text; who may not is shown the note and told why."""
    note, thing = _note(request, pk)
    if not notes.may_change(request.user, note):
        if request.method == "POST":
            raise PermissionDenied
        return render(request, "mqtt/note_read.html", {"note": note, "thing": thing, "back": back_to(note)})
    return _edit(request, note, thing)


@needs(OPERATE)
@require_http_methods(["GET", "POST"])
def note_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a note on the second click."""
    note, thing = _note(request, pk)
    if not notes.may_change(request.user, note):
        raise PermissionDenied
    if request.method == "GET":
        return render(request, "mqtt/note_delete.html", {"note": note, "thing": thing, "back": back_to(note)})
    try:
        notes.delete_note(actor_of(request), note)
    except ServiceError as error:
        messages.error(request, reasons.explain(error.code, error.context))
    else:
        messages.success(request, _("The note is deleted."))
    return redirect(back_to(note))


def back_to(note: Note) -> str:
    """The page of what a note is about."""
    return f"{reverse(f'{note.kind}-detail', args=[note.object_id])}#notes"


def _note(request: HttpRequest, pk: int) -> tuple[Note, Model]:
    note = get_object_or_404(visible_to(request.user, Note.objects.all()), pk=pk)
    thing = notes.thing_of(note)
    if thing is None:
        raise Http404
    return note, thing


def _edit(request: HttpRequest, note: Note, thing: Any) -> HttpResponse:
    form = NoteForm(request.POST if request.method == "POST" else None, instance=note)
    if request.method == "POST" and form.is_valid():
        store = notes.change_note if note.pk else notes.add_note
        try:
            store(actor_of(request), form.instance)
        except ServiceError as error:
            form.add_error(None, reasons.explain(error.code, error.context))
        else:
            messages.success(request, _("The note is saved."))
            return redirect(back_to(note))
    return render(request, "mqtt/note_form.html", {"form": form, "note": note, "thing": thing, "back": back_to(note)})
