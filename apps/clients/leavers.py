"""What a leaver leaves here: owned clients to hand on, and shares that end."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from apps.clients.models import Client, ClientShare
from apps.clients.permissions import CHANGE_OWNER
from apps.clients.services import clients_hand_on
from apps.core.actor import Actor
from apps.core.admin import ReasonForm
from apps.users.access_pages import form_page
from apps.users.leaving import Leftover, register_ending, register_leftovers
from apps.users.models import User


def clients_left(user: User, actor: Actor) -> Iterable[Leftover]:
    count = Client.objects.visible_to(actor).filter(owner=user).count()
    yield Leftover(
        label=_("clients are theirs"),
        count=count,
        url=f"{reverse('admin:clients_client_changelist')}?owner__id__exact={user.pk}",
        hand_on_url=reverse("admin-clients-hand-on", args=[user.pk])
        if actor.allows(CHANGE_OWNER)
        else "",
    )


def shares_end(user: User, actor: Actor, reason: str) -> int:
    """Clients that were shared with the leaver are not any more."""
    rows = list(ClientShare.objects.in_force().filter(user=user))
    for share in rows:
        share.take_back(by=actor, reason=reason)
        share.save_as(actor, reason, action="client.share_end")
    return len(rows)


class HandOnForm(ReasonForm):
    to_owner_id = forms.TypedChoiceField(
        label=_("New owner"), coerce=int, widget=UnfoldAdminSelectWidget()
    )
    field_order = ("to_owner_id", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = User.objects.staff().order_by("name")
        self.fields["to_owner_id"].choices = [(row.pk, str(row)) for row in people]  # type: ignore[attr-defined]


def hand_on_view(request: HttpRequest, user_id: int) -> HttpResponse:
    """All of one owner's clients to a colleague."""
    owner = get_object_or_404(User.objects.all(), pk=user_id, is_staff=True)

    def hand_on(**values: Any) -> int:
        return clients_hand_on(from_owner_id=owner.pk, **values)

    back = reverse("admin:users_user_change", args=[owner.pk])
    return form_page(
        request,
        title=_("Hand on the clients of {}").format(owner),
        permission=CHANGE_OWNER,
        form_class=HandOnForm,
        service=hand_on,
        done=lambda count: back,
        explanation=_("Each client keeps its history; at most 500 at once."),
        back_url=back,
    )


register_leftovers("clients", clients_left)
register_ending("client_shares", shares_end)
