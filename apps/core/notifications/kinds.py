"""The kinds of notification. An app declares its own; asking for an unknown one raises."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext_lazy as _


class Audience(StrEnum):
    """Whose page of choices lists the kind."""

    STAFF = "STAFF"
    CLIENT = "CLIENT"
    PARTNER = "PARTNER"


@dataclass(frozen=True, slots=True)
class Kind:
    """`in_app` and `email` are what holds until a person chooses otherwise.

    `mailed` says that the kind has an e-mail channel at all. What must always be told (security, money that
    left) is `required`: the pages offer no switch for it.
    """

    code: str
    label: Any
    audiences: tuple[Audience, ...]
    icon: str = "notifications"
    in_app: bool = True
    email: bool = False
    mailed: bool = True
    required: bool = False


KINDS: dict[str, Kind] = {}


def register_kind(kind: Kind) -> Kind:
    """Declare a kind. Raises `ValueError` when another one has its code."""
    known = KINDS.setdefault(kind.code, kind)
    if known.label != kind.label:
        raise ValueError(f"two kinds of notification are named {kind.code}")
    return known


def kinds_for(*audiences: Audience) -> list[Kind]:
    """The kinds that these readers can choose about, by label."""
    wanted = set(audiences)
    found = [kind for kind in KINDS.values() if wanted & set(kind.audiences)]
    return sorted(found, key=lambda kind: str(kind.label))


STAFF, CLIENT, PARTNER = (Audience.STAFF,), (Audience.CLIENT,), (Audience.PARTNER,)

APPROVAL_WAITING = register_kind(
    Kind("approval.waiting", _("An approval waits for you"), STAFF, "how_to_reg")
)
APPROVAL_DECIDED = register_kind(
    Kind("approval.decided", _("What you asked for was decided"), STAFF, "task_alt")
)
CLAIM_TAKEN = register_kind(
    Kind("claim.taken", _("Somebody took over your work"), STAFF, "front_hand")
)
REVIEW_DUE = register_kind(
    Kind("access.review_due", _("An access review is due"), STAFF, "fact_check", email=True)
)
SHARE_GRANTED = register_kind(
    Kind("share.granted", _("Something was shared with you"), STAFF, "share")
)
DELIVERIES_STUCK = register_kind(
    Kind("outbox.stuck", _("Messages between parts of the house are stuck"), STAFF, "sync_problem")
)
