"""The pages of access open, and say what they are for."""

from __future__ import annotations

import pytest
from django.test import Client as Browser

from apps.users.models import AccessReview, AccessReviewLine, Role, RoleGrant, User
from apps.users.services import access_review_open
from tests.users.people import acting, hire

pytestmark = pytest.mark.django_db


def test_every_page_of_access_opens(admin, checker):
    person = hire("fatima", "finance")
    access_review_open(actor=acting(checker), reason="quarter", code="2026-Q4")
    browser = Browser()
    browser.force_login(admin)
    finance = Role.objects.get(name="finance")
    pages = {
        f"users/user/{person.pk}/change/": "until taken away",
        f"users/role/{finance.pk}/change/": "They agree.",
        f"users/rolegrant/{RoleGrant.objects.get(user=person).pk}/change/": "Take away",
        f"users/accessreview/{AccessReview.objects.get().pk}/change/": "your own: somebody else",
        f"users/accessreviewline/{AccessReviewLine.objects.get(user=person).pk}/change/": "Keep",
        "users/user/": "Invite a member of staff",
        "users/user/invite/": "Roles and what they see are asked for afterwards",
        "users/networkrule/": "Limit networks",
        "users/networkrule/limit/": "From the next request on",
        "users/impersonation/": "views as a client",
        f"users/user/{person.pk}/do/role/": "until it is taken away",
        f"users/user/{person.pk}/do/cut_off/": "end at this moment",
        f"leavers/hand-on/{person.pk}/": "Each client keeps its history",
    }
    for path, words in pages.items():
        answer = browser.get(f"/admin/{path}")
        assert answer.status_code == 200, path
        assert words in answer.content.decode(), path


def test_a_grant_from_before_histories_were_kept_opens_too(admin, newcomer):
    grant = RoleGrant(user=newcomer, role=Role.objects.get(name="support"))
    RoleGrant.objects.bulk_create([grant])
    browser = Browser()
    browser.force_login(admin)
    assert browser.get(f"/admin/users/rolegrant/{grant.pk}/change/").status_code == 200


def test_a_button_that_is_not_shown_does_not_answer_at_its_address_either(admin, checker):
    browser, address = Browser(), f"/admin/users/user/{checker.pk}/do/invite/"
    browser.force_login(admin)
    epoch = checker.session_epoch
    for answer in (browser.get(address), browser.post(address, {"reason": "send it once more"})):
        assert answer.status_code == 409
        assert "NOT_POSSIBLE_NOW" in answer.content.decode()
    assert User.objects.get(pk=checker.pk).session_epoch == epoch


def test_inviting_from_the_page(admin):
    browser = Browser()
    browser.force_login(admin)
    answer = browser.post(
        "/admin/users/user/invite/",
        {"email": "nora@house.example", "name": "Nora", "reason": "joins support"},
    )
    assert answer.status_code == 302
    assert User.objects.get(email="nora@house.example").is_staff
