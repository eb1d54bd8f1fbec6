"""Signing in: django-allauth for the ceremonies, this house's own rules around them (`apps/users/signin`)."""

from datetime import timedelta

from brokeros.settings.environment import env

SIGN_IN_APPS = ["allauth", "allauth.account", "allauth.mfa", "allauth.usersessions"]

ACCOUNT_ADAPTER = "apps.users.signin.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
# Registering, confirming an address and every mail are the product's own.
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_NOTIFICATIONS = False
# The brake of this house counts in PostgreSQL, so that it holds across processes and restarts.
ACCOUNT_RATE_LIMITS = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_REAUTHENTICATION_TIMEOUT = 15 * 60
ACCOUNT_LOGOUT_REDIRECT_URL = "/"

MFA_ADAPTER = "apps.users.signin.adapters.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Broker OS"
MFA_TOTP_TOLERANCE = 1
MFA_RECOVERY_CODE_COUNT = 10
MFA_RATE_LIMITS = False

# Whether a role that asks for a second factor (`apps/users/data/sign_in.toml`) lets nobody on without one.
SECOND_FACTOR_ENFORCED = env.bool("BROKEROS_SECOND_FACTOR_ENFORCED", default=True)
# "strongest": the strongest proof that somebody has enrolled; "passkey": staff confirm money and permission acts
# by passkey alone.
STEP_UP_FACTOR = env.str("BROKEROS_STEP_UP_FACTOR", default="strongest")
STEP_UP_FRESH_FOR = timedelta(minutes=15)

# Says where somebody who has just signed in belongs.
SIGN_IN_HOME = "apps.portal.views.home_of"

SESSION_COOKIE_AGE = 24 * 60 * 60
SESSION_SAVE_EVERY_REQUEST = False
