"""Everybody's access is looked through, line by line, by somebody else, and signed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.db import DatabaseError, IntegrityError, transaction

from apps.core import clock
from apps.core.errors import NotAllowed, NotVisible, WrongState
from apps.core.panels import QUEUES
from apps.users.errors import LastAdmin, OwnLine, ReviewNotDone
from apps.users.gates import note_uses
from apps.users.models import AccessReview, AccessReviewLine, User
from apps.users.services import (
    access_review_open,
    access_review_sign,
    review_line_keep,
    review_line_revoke,
)
from apps.users.services.reviews import review_digest
from apps.users.tasks import open_access_review
from tests.users.people import acting, hire, refused, roles_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def house(admin, checker):
    mlro, finance = hire("marek", "mlro"), hire("fatima", "finance")
    idle = hire("ida")
    note_uses(finance.pk, {"payments.approve_withdrawal"})
    access_review_open(actor=acting(checker), reason="quarter", code="2026-Q4")
    return {"admin": admin, "checker": checker, "mlro": mlro, "finance": finance, "idle": idle}


def line_of(user: User) -> AccessReviewLine:
    return AccessReviewLine.objects.get(user=user)


def keep(user: User, by: User) -> AccessReviewLine:
    return review_line_keep(
        accessreviewline_id=line_of(user).pk, actor=acting(by), reason="still needed"
    )


def revoke(user: User, by: User) -> AccessReviewLine:
    return review_line_revoke(
        accessreviewline_id=line_of(user).pk, actor=acting(by), reason="not needed"
    )


def test_a_line_says_what_is_held_and_what_is_not_used(house):
    line = line_of(house["finance"])
    assert (line.role, line.sees, line.decision) == ("finance", "ALL", "OPEN")
    assert "payments.decide_deposit" in line.unused
    assert "payments.approve_withdrawal" not in line.unused
    assert line_of(house["idle"]).role == ""
    assert AccessReviewLine.objects.count() == User.objects.filter(is_staff=True).count()


def test_one_campaign_a_quarter(house):
    open_access_review()
    open_access_review()
    codes = sorted(AccessReview.objects.values_list("code", flat=True))
    assert len(codes) == len(set(codes)) <= 2
    assert "users.access_review_open" in settings.CELERY_BEAT_SCHEDULE


def test_revoking_takes_the_role_at_once_and_ends_a_login_without_any(house):
    revoke(house["finance"], house["checker"])
    assert roles_of(house["finance"]) == []
    revoke(house["idle"], house["checker"])
    assert User.objects.get(pk=house["idle"].pk).is_active is False
    with refused(WrongState):
        keep(house["finance"], house["checker"])


def test_somebody_of_two_companies_is_not_reviewed_away_by_one(admin, checker):
    both = {"scope": "ENTITY", "entities": ["BOS-EU", "BOS-INT"]}
    held, idle = hire("bea", "sales", **both), hire("ida", **both)
    local = hire("lars", "compliance", scope="ENTITY", entities=["BOS-EU"])
    access_review_open(actor=acting(checker), reason="quarter", code="2026-Q4")
    for person in (held, idle):
        with refused(NotVisible):
            revoke(person, local)
        assert line_of(person).decision == "OPEN"
    revoke(held, checker)
    assert roles_of(held) == []


def test_nobody_looks_at_their_own_line(house):
    for verdict in (keep, revoke):
        with refused(OwnLine):
            verdict(house["checker"], house["checker"])
    with pytest.raises(IntegrityError), transaction.atomic():
        AccessReviewLine.objects.filter(user=house["checker"]).update(
            decision="KEEP", decided_by=house["checker"], decided_at=clock.now(), reason="me"
        )
    with refused(NotAllowed):
        keep(house["checker"], house["finance"])


def test_the_last_administrator_is_not_reviewed_away(house):
    with refused(LastAdmin):
        revoke(house["admin"], house["checker"])
    assert line_of(house["admin"]).decision == "OPEN"


def test_signing_wants_every_line_and_says_so_for_good(house):
    review, checker = AccessReview.objects.get(), house["checker"]
    with refused(ReviewNotDone):
        access_review_sign(accessreview_id=review.pk, actor=acting(checker), reason="done")
    for name, by in (
        ("admin", checker),
        ("mlro", checker),
        ("finance", checker),
        ("idle", checker),
    ):
        keep(house[name], by)
    keep(checker, house["mlro"])
    signed = access_review_sign(accessreview_id=review.pk, actor=acting(checker), reason="done")
    assert (signed.state, signed.signed_by_label) == ("SIGNED", "carla")
    assert signed.digest == review_digest(AccessReviewLine.objects.all())
    with refused(WrongState):
        keep(house["finance"], checker)
    with refused(WrongState):
        access_review_sign(accessreview_id=review.pk, actor=acting(checker), reason="again")
    with pytest.raises(DatabaseError), transaction.atomic():
        AccessReviewLine.objects.filter(review=review).update(reason="other")
    assert signed.digest == review_digest(AccessReviewLine.objects.all())


def test_a_late_review_presses_in_the_inbox(house):
    queue, actor = QUEUES["users.access_review"], acting(house["checker"])
    (row,) = queue.rows(actor)
    assert (row.severity, row.label) == ("normal", "Access review 2026-Q4: 4 lines")
    with clock.frozen(clock.now() + timedelta(days=22)):
        (row,) = queue.rows(actor)
    assert row.severity == "high"
