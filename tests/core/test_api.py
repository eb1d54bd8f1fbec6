"""The API's base: a repeated request is answered with the first answer, and refusals are problem details."""

import json
from datetime import timedelta

import pytest
from django.test import RequestFactory
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.core import clock
from apps.core.actor import Actor
from apps.core.api import idempotent, problem_handler
from apps.core.errors import NotAllowed, StaleBase
from apps.core.models import IdempotencyRecord

calls: list[dict] = []


class PayView(APIView):
    authentication_classes = ()
    permission_classes = ()

    @idempotent
    def post(self, request):
        calls.append(request.data)
        if request.data.get("refuse"):
            raise StaleBase
        return Response({"n": len(calls)}, status=201)


@pytest.fixture(autouse=True)
def no_calls():
    calls.clear()


def pay(body: dict, key: str | None = "key-0001", user: str = "a"):
    headers = {"Idempotency-Key": key} if key else {}
    request = RequestFactory().post(
        "/api/v1/pay/", json.dumps(body), content_type="application/json", headers=headers
    )
    request.actor = Actor.system(user)
    response = PayView.as_view()(request)
    response.render()
    return response


@pytest.mark.django_db
def test_the_second_request_gets_the_first_answer_and_has_no_effect():
    first, second = pay({"amount": "1"}), pay({"amount": "1"})
    assert (first.status_code, second.status_code) == (201, 201)
    assert json.loads(first.content) == json.loads(second.content) == {"n": 1}
    assert second.headers["Idempotency-Replayed"] == "true"
    assert len(calls) == 1


@pytest.mark.django_db
def test_the_same_key_with_another_body_is_refused():
    pay({"amount": "1"})
    answer = pay({"amount": "2"})
    assert answer.status_code == 422
    assert answer.data["code"] == "CONFLICT"
    assert len(calls) == 1


@pytest.mark.django_db
def test_while_the_first_is_under_way_the_second_waits():
    pay({"amount": "1"})
    IdempotencyRecord.objects.update(state="IN_PROGRESS")
    answer = pay({"amount": "1"})
    assert (answer.status_code, answer.data["code"]) == (409, "IDEMPOTENCY_IN_PROGRESS")
    assert len(calls) == 1


@pytest.mark.django_db
def test_a_refused_request_leaves_its_key_free():
    assert pay({"refuse": True}).status_code == 409
    assert IdempotencyRecord.objects.count() == 0
    assert pay({"amount": "1"}).status_code == 201


@pytest.mark.django_db
def test_two_callers_may_use_the_same_key():
    pay({"amount": "1"}, user="a")
    pay({"amount": "9"}, user="b")
    assert len(calls) == 2


@pytest.mark.django_db
@pytest.mark.parametrize("key", [None, "short", "x" * 256])
def test_a_missing_or_odd_key_is_refused(key):
    answer = pay({"amount": "1"}, key=key)
    assert (answer.status_code, answer.data["code"]) == (422, "INVALID_INPUT")
    assert calls == []


def test_a_refusal_is_a_problem_with_code_and_sentence():
    answer = problem_handler(NotAllowed(permission="Approve withdrawals"), {})
    assert answer.status_code == 403
    assert answer.content_type == "application/problem+json"
    assert answer.data["code"] == "NOT_ALLOWED"
    assert answer.data["detail"] == "Your role does not include: Approve withdrawals."


def test_an_error_that_is_not_a_refusal_stays_an_error():
    assert problem_handler(ZeroDivisionError(), {}) is None


@pytest.mark.django_db
def test_a_call_whose_process_was_killed_is_taken_over_once_its_time_is_over():
    pay({"amount": "1"})
    IdempotencyRecord.objects.update(
        state="IN_PROGRESS", created_at=clock.now() - timedelta(minutes=6)
    )
    assert pay({"amount": "2"}).status_code == 422
    assert pay({"amount": "1"}).status_code == 201
    assert len(calls) == 2
    IdempotencyRecord.objects.update(state="IN_PROGRESS")
    assert pay({"amount": "1"}).status_code == 409, "whoever took it over is at work"
    assert len(calls) == 2
