"""What every installation shares."""

from celery.schedules import crontab

from brokeros.logs import logging_config
from brokeros.settings.admin import UNFOLD  # noqa: F401
from brokeros.settings.environment import BASE_DIR, env, home
from brokeros.settings.sign_in import *  # noqa: F403
from brokeros.settings.sign_in import SIGN_IN_APPS

DEMO = False
DEBUG = False
HOME = home()

LOCAL_APPS = [
    "apps.core",
    "apps.users",
    "apps.rules",
    "apps.market",
    "apps.ledger",
    "apps.clients",
    "apps.kyc",
    "apps.accounts",
    "apps.orders",
    "apps.risk",
    "apps.payments",
    "apps.ib",
    "apps.portal",
]

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.import_export",
    "unfold.contrib.simple_history",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "pgtrigger",
    "django_fsm",
    "simple_history",
    "guardian",
    "import_export",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "channels",
    "django_htmx",
    "django_celery_beat",
    *SIGN_IN_APPS,
    "brokeros",
    *LOCAL_APPS,
]

MIDDLEWARE = [
    "brokeros.health.HealthMiddleware",
    "brokeros.metrics.MetricsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "apps.core.middleware.RequestContextMiddleware",
    "brokeros.logs.RequestLogMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "apps.users.gates.NetworkMiddleware",
    "apps.users.gates.ImpersonationMiddleware",
    "apps.users.middleware.ActorMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "apps.users.middleware.SessionPolicyMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "apps.core.middleware.DomainErrorMiddleware",
    "apps.users.middleware.StepUpMiddleware",
]

ROOT_URLCONF = "brokeros.urls"
ASGI_APPLICATION = "brokeros.asgi.application"
WSGI_APPLICATION = "brokeros.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "apps.portal.context_processors.shell",
            ],
        },
    },
]

AUTH_USER_MODEL = "users.User"
AUTHENTICATION_BACKENDS = [
    "apps.users.backends.RoleBackend",
    "apps.users.backends.DatedGrantBackend",
]
ANONYMOUS_USER_NAME = None
SILENCED_SYSTEM_CHECKS = ["guardian.W001"]  # its backend is extended by apps.users.backends
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/portal/login/"
LOGIN_REDIRECT_URL = "/home/"

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True
LOCALE_PATHS = [BASE_DIR / "locale"]

STATIC_URL = "/static/"
STATIC_ROOT = env.str("STATIC_ROOT", default=str(HOME / "static"))
STATICFILES_DIRS = [BASE_DIR / "static"]
PRIVATE_STORAGE_ROOT = HOME / "documents"
# The private key is 32 bytes in base64; while none is given, one is made and kept in the folder. Public halves of
# retired keys keep verifying what they signed.
SIGNING_KEY = env.str("BROKEROS_SIGNING_KEY", default="")
SIGNING_RETIRED_KEYS = env.list("BROKEROS_SIGNING_RETIRED_KEYS", default=[])
SIGNING_FOLDER = HOME / "signing"
# Signed heads of the audit trail are also kept here, best on a volume that the database's keepers cannot write.
AUDIT_HEADS = env.str("BROKEROS_AUDIT_HEADS", default=str(HOME / "audit-heads"))
# Only where a past is told with the clock set back: records are then older than the seals over them, as a rule.
AUDIT_OF_A_STORY = False
# An address that gets the signed head once a day; empty sends none.
AUDIT_HEADS_MAIL = env.str("BROKEROS_AUDIT_HEADS_MAIL", default="")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

SIMPLE_HISTORY_HISTORY_CHANGE_REASON_USE_TEXT_FIELD = True
SIMPLE_HISTORY_ENFORCE_HISTORY_MODEL_PERMISSIONS = True
SIMPLE_HISTORY_REVERT_DISABLED = True
SIMPLE_HISTORY_DATE_INDEX = "Composite"
IMPORT_EXPORT_IMPORT_PERMISSION_CODE = "import"
IMPORT_EXPORT_EXPORT_PERMISSION_CODE = "export"
IMPORT_EXPORT_ESCAPE_FORMULAE_ON_EXPORT = True

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["apps.users.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PAGINATION_CLASS": "apps.core.pagination.CursorPagination",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "EXCEPTION_HANDLER": "apps.core.api.problem_handler",
    "PAGE_SIZE": 50,
    "COERCE_DECIMAL_TO_STRING": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Broker OS",
    "DESCRIPTION": "One client identity, one rule layer, one ledger, one order path, one audit trail.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "COMPONENT_SPLIT_REQUEST": True,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    # Fields of different meaning share a name here and there; each choice gets the name of its meaning.
    "ENUM_NAME_OVERRIDES": {
        "DocumentKindEnum": "apps.kyc.enums.DocumentKind",
        "DocumentSideEnum": "apps.kyc.enums.Side",
        "RestrictionKindEnum": "apps.clients.enums.RestrictionKind",
        "CommissionKindEnum": "apps.ib.enums.TermKindChoice",
        "TierModeEnum": "apps.ib.enums.TierModeChoice",
        "RightsLevelEnum": "apps.accounts.enums.RightsLevel",
        "WithdrawalStateEnum": "apps.payments.enums.WithdrawalState",
    },
}

CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_IGNORE_RESULT = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULER = "brokeros.scheduling:BeatingScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 15
# Seconds between runs; each task finds its own work and does nothing when there is none.
CELERY_BEAT_SCHEDULE = {
    task: {"task": task, "schedule": seconds}
    for task, seconds in {
        "core.approvals_expire": 60.0,
        "core.outbox_prune": 3600.0,
        "core.runs_resume": 60.0,
        "core.runs_tidy": 3600.0,
        "core.approvals_escalate": 60.0,
        "payments.payouts_ask": 15.0,
        "payments.deposits_ask": 30.0,
        "payments.deposits_expire": 60.0,
        "payments.transfers_ask": 20.0,
        "ledger.holds_expire": 60.0,
        "orders.end_trading_day": 900.0,
        "clients.expire_restrictions": 60.0,
        "clients.expire_exports": 3600.0,
        "clients.preview_retention": 86400.0,
        "kyc.age_documents": 3600.0,
        "users.access_review_open": 86_400.0,
    }.items()
}
# A delivery that no worker finished is sent again; events that everybody handled are kept for a while.
OUTBOX_RESEND_AFTER_S = env.float("BROKEROS_RESEND_AFTER_S", default=30.0)
# Events that wait longer for the relay, and reactions further behind, are work for a person.
OUTBOX_LAG_LIMIT_S = 30.0
OUTBOX_LATE_S = env.float("BROKEROS_OUTBOX_LATE_S", default=300.0)
OUTBOX_KEEP_DAYS = env.int("BROKEROS_OUTBOX_KEEP_DAYS", default=30)
# At night, when few write: the whole trail is walked.
CELERY_BEAT_SCHEDULE["core.audit_verify"] = {
    "task": "core.audit_verify",
    "schedule": crontab(hour=2, minute=10),
}
CELERY_BEAT_SCHEDULE_FILENAME = str(HOME / "beat-schedule")
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 120}

# Keys that wrap the keys of personal data (`id:base64`, the first one wraps) and the key of blind indexes.
PRIVACY_KEK = env.str("BROKEROS_KEK", default="")
PRIVACY_INDEX_KEY = env.str("BROKEROS_INDEX_KEY", default="")
# An embedded home makes its own; production insists on the two above.
PRIVACY_KEYS_FILE = HOME / "privacy-keys.json"

ENGINE_SHARDS = env.list("BROKEROS_ENGINE_SHARDS", default=["main"])
# "stream": orders go to the engine's own process; "inline": they are decided in the caller's
# (tests, generated history).
ENGINE_MODE = env.str("BROKEROS_ENGINE_MODE", default="stream")
ENGINE_POLICY = {"quote_max_age_us": 30_000_000, "collar_bps": 500, "orders_per_second": 20}
# Commission (minor units per lot and side), mark-up (points by symbol, asset class or "*") and
# default book by account type.
ENGINE_ACCOUNT_TERMS = {"*": {"commission_minor": 0, "markup": {}, "book": "B"}}

# Address and secrets of each provider in `apps/payments/data/providers.toml`; the first webhook secret signs.
PAYMENT_PROVIDERS = {
    "psp-sim": {
        "address": env.str(
            "PSP_SIM_ADDRESS",
            default=f"http://127.0.0.1:{env.int('SIMULATOR_PSP_PORT', default=8102)}",
        ),
        "key": env.str("PSP_SIM_KEY", default=""),
        "webhook_secrets": env.list("PSP_SIM_WEBHOOK_SECRETS", default=[]),
    },
}

# Opens every market all week: for demonstrations and tests on a weekend, never for business.
AROUND_THE_CLOCK = False

EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
# Who writes to people that no company of the group serves: the installation's own staff.
HOUSE_NAME = env.str("BROKEROS_HOUSE_NAME", default="Broker OS")
HOUSE_SUPPORT = env.str("BROKEROS_HOUSE_SUPPORT", default="")
# A mail server that is slow holds up one worker for this long at most; the outbox tries again.
EMAIL_TIMEOUT = env.int("EMAIL_TIMEOUT", default=10)
DEFAULT_FROM_EMAIL = env.str("BROKEROS_MAIL_FROM", default="Broker OS <no-reply@brokeros.example>")

# Networks of our own proxies: only what comes through them is believed about where it came from.
TRUSTED_PROXIES = env.list("BROKEROS_TRUSTED_PROXIES", default=[])

X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SECURE_REFERRER_POLICY = "same-origin"
DATA_UPLOAD_MAX_MEMORY_SIZE = 12 * 1024 * 1024

LOG_LEVEL = env.str("BROKEROS_LOG_LEVEL", default="INFO")
LOGGING = logging_config(style=env.str("BROKEROS_LOG_STYLE", default="json"), level=LOG_LEVEL)
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
METRICS_ALLOWED = env.list("METRICS_ALLOWED", default=["127.0.0.0/8", "::1/128"])
