"""Structured logs: one JSON object a line, with request, actor and order ids, and without personal data.

What identifies a person never reaches a log line: fields with telling names are hidden, and e-mail addresses, IBANs,
card numbers and the rows that PostgreSQL quotes in its errors are cut out of every text, tracebacks included.
Ids stay: with them, and the right to look them up, a line can be traced to a client.
"""

from __future__ import annotations

import logging.config
import re
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

import structlog
from django.http import HttpRequest, HttpResponseBase

HIDDEN = "[hidden]"
PERSONAL_FIELDS = frozenset(
    {
        *(
            "email",
            "e_mail",
            "recipient",
            "recipients",
            "to",
            "username",
            "name",
            "first_name",
            "last_name",
        ),
        *(
            "full_name",
            "middle_name",
            "maiden_name",
            "display_name",
            "label",
            "phone",
            "mobile",
            "address",
        ),
        *(
            "street",
            "city",
            "postcode",
            "birth_date",
            "date_of_birth",
            "birthday",
            "tax_id",
            "passport",
        ),
        *("document_number", "national_id", "iban", "bic", "account_holder", "card", "pan", "ip"),
        *(
            "password",
            "secret",
            "token",
            "authorization",
            "cookie",
            "session",
            "api_key",
            "body",
            "payload",
        ),
    }
)
_EMAIL = re.compile(r"[A-Za-z0-9._%+'-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]{4}){2,7}(?:[ ]?[A-Z0-9]{1,3})?\b")
_CARD = re.compile(r"\b\d(?:[ -]?\d){12,18}\b")
_QUOTED_ROW = re.compile(r"(DETAIL:|CONTEXT:|Failing row contains).*")

_request: ContextVar[HttpRequest | None] = ContextVar("logged_request", default=None)
log = structlog.get_logger("brokeros.request")
Event = dict[str, Any]
_EXTRA = structlog.stdlib.ExtraAdder()


def hide_personal_data(logger: Any, method: str, event: Event) -> Event:
    """The last processor before the line is written."""
    return {key: _clean(key, value) for key, value in event.items()}


def add_ids(logger: Any, method: str, event: Event) -> Event:
    """The request that a line belongs to, and who made it; order ids arrive as fields of the line."""
    from apps.core.context import current_request

    request_id = current_request().request_id
    if request_id:
        event.setdefault("request_id", request_id)
    request = _request.get()
    user = getattr(request, "_cached_user", None)
    if user is not None and user.pk is not None:
        event.setdefault("actor_id", f"user:{user.pk}")
    return event


def add_extra(logger: Any, method: str, event: Event) -> Event:
    """The `extra` of a standard logging call as fields; one called `event` must not replace the message."""
    message = event["event"]
    event = dict(_EXTRA(logger, method, event))
    if event["event"] != message:
        event["event_id"], event["event"] = event["event"], message
    return event


class RequestLogMiddleware:
    """One line for each answered request: route, status, milliseconds. The address with its ids is not logged."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        token = _request.set(request)
        began = time.perf_counter()
        try:
            response = self.get_response(request)
            log.info(
                "request",
                method=request.method,
                route=getattr(request.resolver_match, "route", "") or "unknown",
                status=response.status_code,
                duration_ms=round((time.perf_counter() - began) * 1000, 1),
            )
            return response
        finally:
            _request.reset(token)


def logging_config(*, style: str, level: str) -> dict[str, Any]:
    """Django's LOGGING: every logger of the process, ours and the libraries', goes through the same processors."""
    renderer: Any = structlog.processors.JSONRenderer()
    if style == "plain":
        renderer = structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0)
    shared = _shared_processors()
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    through_root = {"handlers": [], "propagate": True}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": [*shared[:-1], add_extra, shared[-1]],
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.format_exc_info,
                    hide_personal_data,
                    renderer,
                ],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": through_root,
            "django.server": through_root,
            "celery": through_root,
            "uvicorn": through_root,
            "uvicorn.error": through_root,
            "uvicorn.access": {"handlers": [], "propagate": False},
            # A refused sign-in or a missing page is an answer, not a fault of the server.
            "django.request": {**through_root, "level": "ERROR"},
            "asyncio": {**through_root, "level": "WARNING"},
        },
    }


def _shared_processors() -> list[Any]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.PositionalArgumentsFormatter(),
        add_ids,
    ]


def _clean(key: str, value: Any) -> Any:
    if key.lower() in PERSONAL_FIELDS:
        return HIDDEN
    if isinstance(value, str):
        return _clean_text(value)
    if isinstance(value, Mapping):
        return {inner: _clean(str(inner), item) for inner, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_clean("", item) for item in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return _clean_text(str(value))


def _clean_text(text: str) -> str:
    text = _QUOTED_ROW.sub(lambda found: f"{found.group(1)} {HIDDEN}", text)
    text = _EMAIL.sub("[e-mail]", text)
    text = _IBAN.sub("[iban]", text)
    return _CARD.sub(lambda found: "[card]" if _is_card(found.group()) else found.group(), text)


def _is_card(digits: str) -> bool:
    """Luhn's check (ISO/IEC 7812-1), so that ids and amounts stay readable."""
    numbers = [int(digit) for digit in reversed(digits) if digit.isdigit()]
    doubled = [number * 2 - 9 if number > 4 else number * 2 for number in numbers[1::2]]
    return (sum(numbers[::2]) + sum(doubled)) % 10 == 0


def use_django_logging(**kwargs: Any) -> None:
    """Celery's `setup_logging` signal: its workers log like every other process."""
    from django.conf import settings

    logging.config.dictConfig(settings.LOGGING)
