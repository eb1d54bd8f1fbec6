"""`/account/`: proving who you are, and what belongs to it. The names are those that allauth asks for."""

from __future__ import annotations

from django.urls import path

from apps.users.signin import security, views

urlpatterns = [
    path("passkey/", views.PasskeySignInView.as_view(), name="mfa_login_webauthn"),
    path("second-step/", views.SecondStepView.as_view(), name="mfa_authenticate"),
    path("confirm/", views.StepUpView.as_view(), name="account_reauthenticate"),
    path("security/", security.security, name="mfa_index"),
    path("security/password/", security.change_password, name="account_change_password"),
    path("security/sessions/", security.end_sessions, name="account-end-sessions"),
    path("security/authenticator/", security.AddAuthenticator.as_view(), name="mfa_activate_totp"),
    path(
        "security/authenticator/remove/",
        security.RemoveAuthenticator.as_view(),
        name="mfa_deactivate_totp",
    ),
    path("security/codes/", security.RecoveryCodes.as_view(), name="mfa_view_recovery_codes"),
    path(
        "security/codes/new/",
        security.NewRecoveryCodes.as_view(),
        name="mfa_generate_recovery_codes",
    ),
    path(
        "security/codes/file/",
        security.DownloadRecoveryCodes.as_view(),
        name="mfa_download_recovery_codes",
    ),
    path("security/passkeys/add/", security.AddPasskey.as_view(), name="mfa_add_webauthn"),
    path("security/passkeys/<int:pk>/", security.RenamePasskey.as_view(), name="mfa_edit_webauthn"),
    path(
        "security/passkeys/<int:pk>/remove/",
        security.RemovePasskey.as_view(),
        name="mfa_remove_webauthn",
    ),
]
