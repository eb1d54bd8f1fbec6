"""A real installation: servers by URL, every secret from the environment, strict transport security."""

from apps.core.privacy.keyring import parse_key, parse_keys
from brokeros import embedded
from brokeros.settings.base import *  # noqa: F403
from brokeros.settings.environment import env, required
from brokeros.settings.services import caches, channel_layers, databases

SECRET_KEY = required(
    "SECRET_KEY", "sessions and tokens are signed with it; use 50 or more random characters"
)
DATABASE_URL = required(
    "DATABASE_URL",
    "PostgreSQL holds everything that matters, e.g. postgresql://user:secret@db/brokeros",
)
REDIS_URL = required("REDIS_URL", "queues and live pages need it, e.g. redis://redis:6379/0")
PUBLIC_URL = required(
    "PUBLIC_URL",
    "links in e-mails and provider callbacks start with it, e.g. https://broker.example",
)
ALLOWED_HOSTS = required(
    "ALLOWED_HOSTS", "comma-separated host names that this installation answers to"
).split(",")

SIGNING_KEY = required(
    "BROKEROS_SIGNING_KEY",
    "audit heads and receipts are signed with it; `openssl rand -base64 32` makes one",
)
PRIVACY_KEK = required(
    "BROKEROS_KEK", "personal data is sealed under it; give an id and 32 random bytes, id:base64"
)
PRIVACY_INDEX_KEY = required(
    "BROKEROS_INDEX_KEY", "sealed data is found by it; give 32 random bytes in base64"
)
parse_keys(PRIVACY_KEK, "BROKEROS_KEK")
parse_key(PRIVACY_INDEX_KEY, "BROKEROS_INDEX_KEY")

DATABASES = databases(DATABASE_URL)
CHANNEL_LAYERS = channel_layers(REDIS_URL)
CACHES = caches(REDIS_URL)
CELERY_BROKER_URL = embedded.broker_url(REDIS_URL)
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

SECURE_SSL_REDIRECT = True
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True

# smtp://user:secret@host:25, smtp+tls://…:587 (STARTTLS), smtp+ssl://…:465
vars().update(env.email_url("EMAIL_URL", default="smtp+tls://localhost:587"))
