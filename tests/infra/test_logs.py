"""Logs: one JSON object a line with the ids that matter, and nothing that identifies a person."""

from __future__ import annotations

import io
import json
import logging
import logging.config
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from apps.core.context import RequestContext, set_request
from brokeros import logs

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """Call it for the JSON lines written so far."""
    logging.config.dictConfig(logs.logging_config(style="json", level="INFO"))
    written = io.StringIO()
    handler = logging.getLogger().handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(written)
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    logging.config.dictConfig(settings.LOGGING)


def test_a_line_carries_request_actor_and_order_ids(lines: Lines) -> None:
    class User:
        pk = 7

    request = HttpRequest()
    request._cached_user = User()  # type: ignore[attr-defined]
    set_request(RequestContext(request_id="req-12345678"))
    token = logs._request.set(request)
    try:
        logging.getLogger("apps.orders").info("order accepted", extra={"order_id": "018f-42"})
    finally:
        logs._request.reset(token)
        set_request(None)

    (line,) = lines()
    assert line.pop("timestamp")
    assert line == {
        "event": "order accepted",
        "level": "info",
        "logger": "apps.orders",
        "request_id": "req-12345678",
        "actor_id": "user:7",
        "order_id": "018f-42",
    }


@pytest.mark.parametrize(
    ("text", "logged"),
    [
        ("mail to ana.maria+x@client.example failed", "mail to [e-mail] failed"),
        ("payout to DE89370400440532013000 sent", "payout to [iban] sent"),
        ("payout to GB29 NWBK 6016 1331 9268 19 sent", "payout to [iban] sent"),
        ("card 4111 1111 1111 1111 refused", "card [card] refused"),
        ("order 1234567890123 filled", "order 1234567890123 filled"),
        (
            "order 0197a3c5-7d1c-7c3e-9c65-0e3f5b2c9d11 filled",
            "order 0197a3c5-7d1c-7c3e-9c65-0e3f5b2c9d11 filled",
        ),
        (
            "duplicate key\nDETAIL:  Failing row contains (1, Ana, Silva).",
            "duplicate key\nDETAIL: [hidden]",
        ),
    ],
)
def test_personal_data_is_cut_out_of_every_text(lines: Lines, text: str, logged: str) -> None:
    logging.getLogger("apps.clients").warning(text)

    (line,) = lines()
    assert line["event"] == logged


@pytest.mark.parametrize(
    "field",
    ["email", "first_name", "last_name", "full_name", "iban", "phone", "password", "date_of_birth"],
)
def test_fields_that_name_a_person_are_hidden(lines: Lines, field: str) -> None:
    structlog.get_logger("apps.clients").info("client", client_id="c-1", **{field: "Ana Silva"})

    (line,) = lines()
    assert line[field] == logs.HIDDEN
    assert line["client_id"] == "c-1"


def test_an_extra_field_named_event_does_not_replace_the_message(lines: Lines) -> None:
    logging.getLogger("apps.core.outbox").warning(
        "reaction failed", extra={"handler": "ib.accrue", "event": 25}
    )

    (line,) = lines()
    assert (line["event"], line["handler"], line["event_id"]) == (
        "reaction failed",
        "ib.accrue",
        25,
    )


def test_nested_values_are_cleaned_too(lines: Lines) -> None:
    structlog.get_logger("apps.clients").info(
        "webhook",
        data={
            "customer": {"email": "ana@client.example", "id": 5},
            "notes": ["to ana@client.example"],
        },
    )

    (line,) = lines()
    assert line["data"] == {"customer": {"email": "[hidden]", "id": 5}, "notes": ["to [e-mail]"]}


def test_a_traceback_is_logged_without_the_address_in_its_message(lines: Lines) -> None:
    try:
        raise ValueError("no such client: ana@client.example")
    except ValueError:
        logging.getLogger("apps.clients").exception("failed for %s", "ana@client.example")

    (line,) = lines()
    assert line["event"] == "failed for [e-mail]"
    assert "ValueError: no such client: [e-mail]" in str(line["exception"])
    assert "ana@client.example" not in json.dumps(line)


def test_a_request_is_logged_by_its_route_and_never_by_its_address(lines: Lines) -> None:
    class Match:
        route = "admin/clients/<uuid:pk>/"

    request = HttpRequest()
    request.method = "GET"
    request.path = "/admin/clients/ana@client.example/"
    request.resolver_match = Match()  # type: ignore[assignment]

    logs.RequestLogMiddleware(lambda _: HttpResponse(status=404))(request)

    (line,) = lines()
    assert line.pop("duration_ms") >= 0  # type: ignore[operator]
    assert (line["method"], line["route"], line["status"]) == (
        "GET",
        "admin/clients/<uuid:pk>/",
        404,
    )
    assert "path" not in line


def test_celery_logs_like_every_other_process() -> None:
    """Celery leaves logging alone when somebody answers its `setup_logging` signal."""
    from celery.signals import setup_logging

    assert setup_logging.send(sender=None) == [(logs.use_django_logging, None)]
    assert logging.getLogger("celery").handlers == []
    assert logging.getLogger("celery").propagate is True
