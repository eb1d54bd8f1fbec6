from __future__ import annotations

from django.urls import path

from apps.clients.portal import onboarding, privacy, profile, views

urlpatterns = [
    path("register/", views.register, name="clients-register"),
    path("register/mail/", views.check_mail, name="clients-check-mail"),
    path("register/mail/again/", views.resend, name="clients-resend"),
    path("notices/", views.notices, name="clients-notices"),
    path("confirm/<str:token>/", views.confirm, name="clients-confirm"),
    path("password/", views.password_forgotten, name="clients-password-reset"),
    path("password/<str:uid>/<str:token>/", views.password_set, name="clients-password-set"),
    path("application/", onboarding.application, name="clients-onboarding"),
    path("application/review/", onboarding.review, name="clients-onboarding-review"),
    path("application/<slug:step>/", onboarding.step_page, name="clients-onboarding-step"),
    path(
        "application/<slug:step>/fields/", onboarding.step_fields, name="clients-onboarding-fields"
    ),
    path("privacy/", privacy.privacy, name="clients-privacy"),
    path("privacy/<uuid:request_id>/", privacy.fetch, name="clients-privacy-fetch"),
    path("profile/", profile.profile, name="clients-profile"),
    path("agreements/", profile.agreements, name="clients-agreements"),
    path("agreements/<uuid:agreement_id>/", profile.agreement, name="clients-agreement"),
]
