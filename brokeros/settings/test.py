"""Tests: the same PostgreSQL and Redis as everywhere, fast password hashing, mail kept in memory."""

import os
import zlib

from brokeros import embedded

os.environ.setdefault("BROKEROS_HOME", str(embedded.BASE_DIR / ".brokeros" / "test"))

from brokeros.settings.demo import *  # noqa: F403
from brokeros.settings.demo import DATABASES, HOME
from brokeros.settings.environment import env
from brokeros.settings.services import caches, channel_layers

TEST_RUN = env.str("BROKEROS_TEST_DB", default="brokeros")
TEST_WORKER = env.str("PYTEST_XDIST_WORKER", default="")
# Test runs that go on at the same time share the Redis server, each in its own numbered database.
REDIS_URL = env.str("REDIS_URL", default="") or embedded.redis_url(
    HOME, 1 + zlib.crc32(f"{TEST_RUN}:{TEST_WORKER}".encode()) % (embedded.REDIS_DATABASES - 1)
)
CHANNEL_LAYERS = channel_layers(REDIS_URL)
CACHES = caches(REDIS_URL)
CELERY_BROKER_URL = embedded.broker_url(REDIS_URL)

SECRET_KEY = "tests-only-key-that-protects-nothing-of-value-0123456789"
SIGNING_KEY = "dGVzdHMtb25seS1rZXktb2Ytbm8tdmFsdWUtMDEyMzQ"
AUDIT_HEADS = ""
SIGNING_FOLDER = HOME / "signing"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
DATABASES["default"].setdefault("TEST", {})["NAME"] = f"test_{TEST_RUN}"
CELERY_TASK_ALWAYS_EAGER = False
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = False
WHITENOISE_AUTOREFRESH = False
ENGINE_MODE = "inline"
