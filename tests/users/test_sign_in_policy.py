"""Who must have a second factor, how long a session lives, and which acts ask for a fresh proof."""

from __future__ import annotations

import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from allauth.mfa.utils import decrypt
from django.test import Client as Browser
from django.urls import reverse

from apps.core.approvals.errors import Beneficiary
from apps.core.errors import SelfApproval
from apps.core.models import Approval, AuditRecord, OutboxEvent
from apps.users.models import Role, User
from apps.users.roles import load_roles
from apps.users.signin.policy import policy

SECRET = "a-long-secret-of-Vera"
KEY = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"

pytestmark = pytest.mark.django_db


def code_now(offset: int = 0) -> str:
    return format_hotp_value(hotp_value(KEY, int(time.time()) // 30 + offset))


def staff(name: str, role: str = "") -> User:
    user = User.objects.create_user(
        f"{name}@house.example", SECRET, is_staff=True, name=name, scope_level="ALL"
    )
    if role:
        load_roles()
        user.groups.add(Role.objects.get(name=role))
    return user


def inside(user: User) -> Browser:
    browser = Browser()
    browser.force_login(user)
    return browser


def age(browser: Browser, **stamps: float) -> None:
    """Make this session's stamps older by so many minutes."""
    session = browser.session
    for name, minutes in stamps.items():
        session[name] = time.time() - 60 * minutes
    session.save()


class TestSecondFactor:
    def test_the_right_password_alone_does_not_open_a_login_that_has_one(self) -> None:
        user = staff("vera")
        TOTP.activate(user, KEY)
        browser = Browser()
        answer = browser.post("/admin/login/", {"username": user.email, "password": SECRET})
        assert answer["Location"] == "/account/second-step/"
        assert browser.get("/admin/").status_code == 302
        assert AuditRecord.objects.filter(action="login.sign_in").count() == 0

        refused = browser.post("/account/second-step/", {"code": "000000"})
        assert "This code is not right" in refused.content.decode()
        code = code_now()
        opened = browser.post("/account/second-step/", {"code": code})
        assert opened["Location"] == reverse("admin:index")
        assert browser.get("/admin/").status_code == 200
        assert browser.session["fresh_by"] == "totp"
        assert AuditRecord.objects.get(action="login.sign_in").after["method"] == "totp"

    def test_a_code_works_once(self) -> None:
        user = staff("vera")
        TOTP.activate(user, KEY)
        code = code_now()
        for browser, status in ((Browser(), 302), (Browser(), 200)):
            browser.post("/admin/login/", {"username": user.email, "password": SECRET})
            assert browser.post("/account/second-step/", {"code": code}).status_code == status

    def test_codes_are_not_guessed(self) -> None:
        user = staff("vera")
        TOTP.activate(user, KEY)
        browser = Browser()
        browser.post("/admin/login/", {"username": user.email, "password": SECRET})
        for _try in range(5):
            browser.post("/account/second-step/", {"code": "000000"})
        page = browser.post("/account/second-step/", {"code": code_now()})
        assert "Too many tries" in page.content.decode()
        assert browser.get("/admin/").status_code == 302

    def test_the_secret_is_not_in_the_database(self) -> None:
        authenticator = TOTP.activate(staff("vera"), KEY).instance
        stored = Authenticator.objects.get(pk=authenticator.pk).data["secret"]
        assert stored.startswith("v1:")
        assert KEY not in stored
        assert decrypt(stored) == KEY

    @pytest.mark.parametrize(("role", "led"), [("finance", True), ("", False)])
    def test_a_role_with_powers_enrols_before_anything_else(
        self, settings, role: str, led: bool
    ) -> None:
        settings.SECOND_FACTOR_ENFORCED = True
        browser = inside(staff("vera", role))
        answer = browser.get("/admin/")
        assert (answer.status_code == 302) is led
        if led:
            assert answer["Location"] == "/account/security/"
            refused = browser.get("/api/v1/withdrawals/")
            assert (refused.status_code, refused.json()["code"]) == (403, "SECOND_FACTOR_REQUIRED")
            page = browser.get("/account/security/").content.decode()
            assert "Add a second factor to go on" in page
            assert browser.get("/account/security/authenticator/").status_code == 200

    def test_a_role_given_in_the_middle_of_a_session_leads_to_enrolment(self, settings) -> None:
        settings.SECOND_FACTOR_ENFORCED = True
        user = staff("vera")
        browser = inside(user)
        assert browser.get("/admin/").status_code == 200
        load_roles()
        user.groups.add(Role.objects.get(name="finance"))
        assert browser.get("/admin/")["Location"] == "/account/security/"

    def test_enrolling_opens_everything_else(self, settings) -> None:
        settings.SECOND_FACTOR_ENFORCED = True
        user = staff("vera", "finance")
        browser = inside(user)
        browser.get("/account/security/authenticator/")
        secret = browser.session["mfa.totp.secret"]
        code = format_hotp_value(hotp_value(secret, int(time.time()) // 30))
        answer = browser.post("/account/security/authenticator/", {"code": code})
        assert answer["Location"] == "/account/security/codes/"
        assert browser.get("/admin/").status_code == 200
        assert AuditRecord.objects.filter(action="login.totp_added").count() == 1
        user.refresh_from_db()
        assert user.credentials_changed_at is not None
        assert len(browser.get("/account/security/codes/").context["unused_codes"]) == 10
        browser.post("/account/security/authenticator/remove/")
        assert browser.get("/admin/")["Location"] == "/account/security/", (
            "and without it closes it"
        )

    def test_the_demo_lets_on_and_says_so(self) -> None:
        user = staff("vera", "finance")
        browser = Browser()
        page = browser.post(
            "/admin/login/", {"username": user.email, "password": SECRET}, follow=True
        )
        assert "This demo lets you in with a password alone" in page.content.decode()
        security = browser.get("/account/security/").content.decode()
        assert "This demo lets you on without a second factor" in security

    def test_a_lost_one_is_reset_by_two_people_and_never_by_its_owner(self) -> None:
        from apps.core.approvals import approval_vote
        from apps.users.selectors import actor_for
        from apps.users.signin.services import access_reset_request

        vera, maker, owner_too = (staff(n, "admin") for n in ("vera", "max", "otto"))
        TOTP.activate(vera, KEY)
        seen = inside(vera)
        approval = access_reset_request(
            user_id=vera.pk, evidence="seen on video, id card", actor=actor_for(maker), reason="lost phone"
        )  # fmt: skip
        for refused, error in ((maker, SelfApproval), (vera, Beneficiary)):
            with pytest.raises(error):
                approval_vote(
                    approval_id=approval.pk,
                    actor=actor_for(refused),
                    verdict="APPROVE",
                    reason="ok",
                )
        assert Authenticator.objects.filter(user=vera).exists()

        approval_vote(
            approval_id=approval.pk, actor=actor_for(owner_too), verdict="APPROVE", reason="seen"
        )
        assert Approval.objects.get().state == "APPROVED"
        assert not Authenticator.objects.filter(user=vera).exists()
        assert seen.get("/admin/").status_code == 302
        assert OutboxEvent.objects.filter(name="users.PasswordResetRequested").count() == 1
        record = AuditRecord.objects.get(action="login.second_factor_reset")
        assert record.reason == "seen on video, id card"


class TestSessions:
    @pytest.mark.parametrize(("stamp", "limit"), [("seen_at", "idle"), ("started_at", "absolute")])
    @pytest.mark.parametrize("kind", ["staff", "client"])
    def test_a_session_ends_by_idleness_and_by_age(self, stamp: str, limit: str, kind: str) -> None:
        user = staff("vera")
        user.is_staff = kind == "staff"
        user.save()
        most = getattr(policy(), limit)[kind] / 60
        browser = inside(user)
        page = "/account/security/"
        age(browser, **{stamp: most - 1})
        assert browser.get(page).status_code == 200
        age(browser, **{stamp: most + 1})
        assert browser.get(page).status_code == 302
        assert "_auth_user_id" not in browser.session

    def test_staff_sessions_are_the_shorter_ones(self) -> None:
        assert policy().idle["staff"] < policy().idle["client"]
        assert policy().absolute["staff"] < policy().absolute["client"]

    def test_all_others_end_and_this_one_goes_on(self) -> None:
        user = staff("vera")
        here, there = inside(user), inside(user)
        here.post("/account/security/sessions/", {"session": "others"})
        assert here.get("/admin/").status_code == 200
        assert there.get("/admin/").status_code == 302

    def test_a_new_password_ends_every_other_session_and_is_asked_freshly(self) -> None:
        user = staff("vera")
        here, there = inside(user), inside(user)
        age(here, fresh_at=16)
        asked = here.get("/account/security/password/")
        assert asked["Location"] == "/account/confirm/?next=%2Faccount%2Fsecurity%2Fpassword%2F"
        here.post("/account/confirm/", {"method": "password", "password": SECRET})
        new = {"old": SECRET, "new": "another-long-secret-7"}
        assert here.post("/account/security/password/", {**new, "old": "x"}).status_code == 422
        assert here.post("/account/security/password/", new).status_code == 302
        assert here.get("/admin/").status_code == 200
        assert there.get("/admin/").status_code == 302
        user.refresh_from_db()
        assert user.check_password("another-long-secret-7")
        assert user.credentials_changed_at is not None
