"""A whole brokerage on one machine: embedded servers, simulators, a local mailbox."""

import warnings

from brokeros import embedded
from brokeros.logs import logging_config
from brokeros.settings.base import *  # noqa: F403
from brokeros.settings.base import HOME, PAYMENT_PROVIDERS
from brokeros.settings.environment import env
from brokeros.settings.services import caches, channel_layers, databases

DEMO = True
# The demo's past is written in one go, each record with the time of the story.
AUDIT_OF_A_STORY = True
SECRET_KEY = env.str(
    "SECRET_KEY", default="demo-only-key-that-protects-nothing-of-value-0123456789"
)
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", "testserver"]

DATABASE_URL = env.str("DATABASE_URL", default="") or embedded.postgres_url(HOME)
REDIS_URL = env.str("REDIS_URL", default="") or embedded.redis_url(HOME)
DATABASES = databases(DATABASE_URL)
CHANNEL_LAYERS = channel_layers(REDIS_URL)
CACHES = caches(REDIS_URL)
CELERY_BROKER_URL = embedded.broker_url(REDIS_URL)

EMAIL_BACKEND = "apps.core.mail.MailboxBackend"
# The printed logins of the demo open every door; a banner says what a real installation asks for.
SECOND_FACTOR_ENFORCED = env.bool("BROKEROS_SECOND_FACTOR_ENFORCED", default=False)
AROUND_THE_CLOCK = env.bool("BROKEROS_AROUND_THE_CLOCK", default=False)
PORT = env.int("PORT", default=8000)
PUBLIC_URL = env.str("PUBLIC_URL", default=f"http://127.0.0.1:{PORT}")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

LOG_LEVEL = env.str("BROKEROS_LOG_LEVEL", default="WARNING")
LOGGING = logging_config(style=env.str("BROKEROS_LOG_STYLE", default="plain"), level=LOG_LEVEL)
# The demo serves its static files as they lie; production collects, compresses and names them by content.
WHITENOISE_USE_FINDERS = True
# Looked up at each request: the demo starts faster, and whoever edits a file sees it at once.
WHITENOISE_AUTOREFRESH = True

# These open the simulated provider of this machine and nothing else.
PAYMENT_PROVIDERS["psp-sim"]["key"] = env.str("PSP_SIM_KEY", default="demo-simulators")
PAYMENT_PROVIDERS["psp-sim"]["webhook_secrets"] = env.list(
    "PSP_SIM_WEBHOOK_SECRETS",
    default=["whsec_ZGVtby1vbmx5LXNlY3JldC1vZi10aGUtc2ltdWxhdGVkLXBzcA=="],
)
# A container or a trial machine is often used as root; the demo's worker runs only this repository's code.
warnings.filterwarnings("ignore", message=r"\s*You're running the worker with superuser")
