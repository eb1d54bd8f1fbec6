"""PostgreSQL and Redis: servers by URL, or the embedded ones when no URL is given."""

from typing import Any

from brokeros.settings.environment import env


def databases(url: str) -> dict[str, Any]:
    """Django's DATABASES for one PostgreSQL, with timeouts that turn a hang into an error."""
    config = env.db_url_config(url)
    config["ENGINE"] = "django.db.backends.postgresql"
    config["CONN_MAX_AGE"] = 0
    config["CONN_HEALTH_CHECKS"] = True
    options = config.setdefault("OPTIONS", {})
    options["options"] = "-c statement_timeout=60000 -c idle_in_transaction_session_timeout=120000"
    return {"default": config}


def caches(redis_url: str) -> dict[str, Any]:
    """What may be lost: above all which one-time codes were used in the last minute, by any process."""
    return {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": redis_url,
            "KEY_PREFIX": "cache",
        }
    }


def channel_layers(redis_url: str) -> dict[str, Any]:
    """Live hints over Redis; losing one is allowed, every page re-reads on a gap."""
    return {
        "default": {
            "BACKEND": "channels_redis.core.RedisChannelLayer",
            "CONFIG": {"hosts": [redis_url], "capacity": 500, "expiry": 10},
        }
    }
