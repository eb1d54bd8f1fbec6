"""Trading through the portal, the API and the back office."""

from __future__ import annotations

from uuid import uuid4

import pytest

from apps.orders.models import Execution, Order, Position
from tests.orders import floor
from tests.orders.floor import trades

pytestmark = pytest.mark.usefixtures("market")


def ticket(account, **fields) -> dict[str, str]:
    return {
        "account": str(account.id),
        "symbol": "EURUSD",
        "side": "BUY",
        "type": "MARKET",
        "quantity": "0.10",
        "submission_key": str(uuid4()),
        **fields,
    }


def test_a_client_trades_on_the_ticket_and_sees_the_position(market):
    account = floor.trading_account(funds="10000")
    browser = floor.sign_in(account)
    page = browser.get("/portal/trade/")
    assert page.status_code == 200
    assert b"EURUSD" in page.content
    sent = ticket(account)
    answer = browser.post("/portal/trade/", sent)
    assert answer.status_code == 302
    assert browser.post("/portal/trade/", sent).status_code == 302
    assert Order.objects.count() == 1
    position = Position.objects.get()
    live = browser.get(f"/portal/trade/live/?account={account.id}")
    assert f'data-position="{position.id}"' in live.content.decode()
    for url in (
        "/portal/positions/",
        "/portal/orders/",
        "/portal/orders/?show=deals",
        f"/portal/orders/{Order.objects.get().id}/",
        "/portal/trade/bars/EURUSD/?interval=M5",
        "/portal/trade/?symbol=XAUUSD",
    ):
        assert browser.get(url).status_code == 200, url
    closed = browser.post(
        f"/portal/positions/{position.id}/close/",
        {"submission_key": str(uuid4()), "quantity": "0.10"},
    )
    assert closed.status_code == 302
    assert Position.objects.get().closed_at is not None


def test_a_refused_order_says_every_reason_on_the_ticket(market):
    account = floor.trading_account(funds="10")
    browser = floor.sign_in(account)
    answer = browser.post("/portal/trade/", ticket(account, quantity="1.00"))
    assert answer.status_code == 422
    assert "There is not enough free margin for this order." in answer.content.decode()
    assert not Execution.objects.exists()


@pytest.mark.parametrize(
    "fields",
    [
        {"quantity": "much"},
        {"quantity": ""},
        {"type": "LIMIT"},
        {"type": "LIMIT", "limit_price": "x"},
        {"side": "UP"},
        {"quantity": "0.015"},
    ],
)
def test_a_wrong_ticket_is_a_form_with_its_errors(market, fields):
    account = floor.trading_account(funds="10000")
    answer = floor.sign_in(account).post("/portal/trade/", ticket(account, **fields))
    assert answer.status_code == 422
    assert not Order.objects.exists()


def test_a_limit_order_is_placed_and_cancelled(market):
    account = floor.trading_account(funds="10000")
    browser = floor.sign_in(account)
    browser.post("/portal/trade/", ticket(account, type="LIMIT", limit_price="1.05", tif="GTC"))
    order = Order.objects.get()
    assert order.status == "0"
    assert browser.post(f"/portal/orders/{order.id}/cancel/").status_code == 302
    assert Order.objects.get().status == "4"


def test_the_account_of_somebody_else_is_not_there(market):
    mine, other = floor.trading_account(), floor.trading_account()
    browser = floor.sign_in(mine)
    held = trades(other, "buy", "0.10")
    assert browser.get(f"/portal/trade/?account={other.id}").status_code == 404
    assert browser.get(f"/portal/orders/{held.order_id}/").status_code == 404
    assert browser.post("/portal/trade/", ticket(other)).status_code == 404
    browser.post(f"/portal/positions/{held.position_id}/close/", {"submission_key": str(uuid4())})
    assert Position.objects.get().closed_at is None


def test_the_api_places_reads_closes_and_refuses_with_codes(market):
    account = floor.trading_account(funds="10000")
    browser = floor.sign_in(account)
    body = {
        "account": str(account.id),
        "client_order_id": "api-1",
        "symbol": "EURUSD",
        "side": "BUY",
        "type": "MARKET",
        "quantity": "0.10",
    }
    placed = browser.post("/api/v1/orders/", body, content_type="application/json")
    assert placed.status_code == 201, placed.content
    assert (placed.json()["status"], placed.json()["filled_lots"]) == ("2", "0.10000000")
    assert browser.post("/api/v1/orders/", body, content_type="application/json").status_code == 200
    other = browser.post(
        "/api/v1/orders/", body | {"quantity": "0.20"}, content_type="application/json"
    )
    assert (other.status_code, other.json()["code"]) == (422, "DUPLICATE_CLIENT_ORDER_ID")
    big = browser.post(
        "/api/v1/orders/",
        body | {"quantity": "50", "client_order_id": "api-2"},
        content_type="application/json",
    )
    assert (big.status_code, big.json()["code"]) == (422, "FREE_MARGIN_TOO_LOW")
    assert [o["client_order_id"] for o in browser.get("/api/v1/orders/").json()["results"]] == [
        "api-2",
        "api-1",
    ]
    (deal,) = browser.get("/api/v1/executions/").json()["results"]
    assert deal["price"] == "1.10010000"
    (position,) = browser.get("/api/v1/positions/?open=true").json()["results"]
    closed = browser.post(
        f"/api/v1/positions/{position['id']}/close/",
        {"client_order_id": "api-3"},
        content_type="application/json",
    )
    assert closed.status_code == 201, closed.content
    assert browser.get("/api/v1/positions/?open=true").json()["results"] == []


def test_the_blotter_and_the_order_page_show_stages_checks_and_executions(market):
    account = floor.trading_account(funds="10000")
    reply = trades(account, "buy", "0.10")
    browser = floor.staff_browser("dealing")
    for url in (
        "/admin/orders/order/",
        "/admin/orders/execution/",
        "/admin/orders/position/",
        "/admin/orders/childorder/",
        "/admin/orders/engineoffset/",
        f"/admin/orders/execution/{Execution.objects.get().id}/change/",
        f"/admin/orders/position/{reply.position_id}/change/",
        f"/admin/accounts/tradingaccount/{account.id}/change/",
    ):
        assert browser.get(url).status_code == 200, url
    page = browser.get(f"/admin/orders/order/{reply.order_id}/change/")
    text = page.content.decode()
    assert page.status_code == 200
    for words in ("Stages", "Pre-trade checks", "Kill switch", "Margin", "Executions"):
        assert words in text, words


def test_somebody_without_the_role_sees_no_blotter(market):
    trades(floor.trading_account(), "buy", "0.10")
    browser = floor.staff_browser("partner_manager")
    assert browser.get("/admin/orders/order/").status_code == 403
