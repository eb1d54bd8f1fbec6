"""A payment provider on this machine: API, hosted payment page, signed webhooks, payouts, and faults on demand.

It is an outside system: it knows nothing of ours but what it was told over HTTP. Faults are asked for with
`POST /faults {"kind": …, "times": n}` and happen once each:

    timeout_create   the payment or payout is made, the answer never comes   (seconds)
    error_create     500 before anything is done
    refuse_create    422, a definite no
    delay            the next message comes late                              (seconds)
    duplicate        the next message comes several times                     (copies)
    drop             the next message never comes
    reorder          waiting messages are sent newest first from now on       (until `in_order`)
    amount           the payer pays another amount                            (amount)
    currency         the payer pays in another currency                       (currency)
    payout_fail      the next payout fails
    payout_return    the next payout is paid, then sent back by the bank
    payout_silent    the next payout stays where it is
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from standardwebhooks.webhooks import Webhook

from apps.payments.adapters.simulator_pages import (
    control_page,
    not_found_page,
    payment_page,
    result_page,
)
from apps.payments.adapters.simulator_store import Store

FINAL = {"succeeded", "failed", "canceled"}
FEE_PERCENT = Decimal("1.4")
MAX_BODY = 64 * 1024


class Refusal(Exception):
    def __init__(self, status: int, code: str, detail: str = "") -> None:
        self.status, self.code, self.detail = status, code, detail
        super().__init__(code)


class Provider:
    """What the provider does, apart from how it is spoken to."""

    def __init__(
        self,
        store: Store,
        *,
        address: str,
        webhook_url: str,
        webhook_secret: str,
        payout_seconds: float,
        settle_seconds: float,
    ) -> None:
        self.store = store
        self.address = address
        self.webhook_url = webhook_url
        self._signer = Webhook(webhook_secret)
        self._payout_seconds = payout_seconds
        self._settle_seconds = settle_seconds
        self._newest_first = False

    # Payments

    def payment_create(self, asked: dict[str, Any]) -> dict[str, Any]:
        amount = _amount(asked)
        expires = _now() + timedelta(seconds=float(asked.get("lifetime", 1800)))
        made = self.store.create(
            "payment",
            "pay",
            _reference(asked),
            {
                "amount": str(amount),
                "currency": str(asked["currency"]),
                "method": str(asked["method"]),
                "payer": str(asked.get("payer", "")),
                "return_url": str(asked.get("return_url", "")),
                "status": "requires_action",
                "expires_at": expires.isoformat(),
            },
        )
        if Decimal(made["amount"]) != amount or made["currency"] != asked["currency"]:
            raise Refusal(409, "REFERENCE_REUSED")
        return self.shown(made)

    def shown(self, row: dict[str, Any]) -> dict[str, Any]:
        return {**row, "hosted_url": f"{self.address}/pay/{row['id']}"}

    def payment(self, payment_id: str) -> dict[str, Any]:
        row = self.store.get(payment_id)
        if row is None or not payment_id.startswith("pay_"):
            raise Refusal(404, "UNKNOWN_PAYMENT", payment_id)
        if row["status"] == "requires_action" and row["expires_at"] < _now().isoformat():
            row = self._payment_moves(row, {"status": "expired"})
        return self.shown(row)

    def pay(self, payment_id: str, *, holder: str, instrument: str) -> dict[str, Any]:
        """The payer pays, also on a page that has expired: the bank was asked before."""
        row = self.payment(payment_id)
        if row["status"] in FINAL:
            return row
        paid: dict[str, Any] = {
            "status": "succeeded",
            "instrument": _instrument(row["method"], instrument, holder or row["payer"]),
        }
        if fault := self.store.take_fault("amount"):
            paid["amount"] = str(Decimal(str(fault["amount"])))
        if fault := self.store.take_fault("currency"):
            paid["currency"] = str(fault["currency"])
        self._announce("payment.processing", {**row, "status": "processing"})
        row = self._payment_moves(row, paid)
        self.store.change(row["id"], {}, due=time.time() + self._settle_seconds)
        return self.shown(row)

    def decline(self, payment_id: str) -> dict[str, Any]:
        return self._closed(payment_id, {"status": "failed", "problem": "do_not_honor"})

    def cancel(self, payment_id: str) -> dict[str, Any]:
        return self._closed(payment_id, {"status": "canceled", "problem": "canceled_by_payer"})

    def _closed(self, payment_id: str, changes: dict[str, Any]) -> dict[str, Any]:
        row = self.payment(payment_id)
        return row if row["status"] in FINAL else self.shown(self._payment_moves(row, changes))

    def _payment_moves(self, row: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
        row = self.store.change(row["id"], changes)
        self._announce(f"payment.{row['status']}", row)
        return row

    def refund(self, asked: dict[str, Any]) -> dict[str, Any]:
        payment = self.payment(str(asked["payment_id"]))
        if payment["status"] != "succeeded":
            raise Refusal(409, "NOT_PAID")
        body = {"amount": str(_amount(asked)), "currency": asked["currency"], "status": "succeeded"}
        made = self.store.create("refund", "ref", _reference(asked), body)
        self.store.change(payment["id"], {"refunded": True})
        return made

    # Payouts

    def payout_create(self, asked: dict[str, Any]) -> dict[str, Any]:
        if not asked.get("destination"):
            raise Refusal(422, "DESTINATION_MISSING")
        body = {
            "amount": str(_amount(asked)),
            "currency": str(asked["currency"]),
            "destination": str(asked["destination"]),
            "status": "processing",
        }
        known = self.store.find("payout", _reference(asked))
        made = self.store.create("payout", "pyt", _reference(asked), body)
        if not known:
            self._announce("payout.processing", made)
            self.store.change(made["id"], {}, due=time.time() + self._payout_seconds)
        return made

    def payout(self, payout_id: str) -> dict[str, Any]:
        row = self.store.get(payout_id)
        if row is None or not payout_id.startswith("pyt_"):
            raise Refusal(404, "UNKNOWN_PAYOUT", payout_id)
        return row

    def _payout_moves(self, row: dict[str, Any]) -> None:
        fault = self.store.take_fault("payout_fail", "payout_return", "payout_silent").get("kind")
        if row["status"] == "paid":
            self._payout_changes(row, {"status": "returned", "problem": "account_closed"}, None)
        elif fault == "payout_fail":
            self._payout_changes(row, {"status": "failed", "problem": "beneficiary_rejected"}, None)
        elif fault == "payout_silent":
            self.store.change(row["id"], {}, due=None)
        else:
            comes_back = time.time() + self._payout_seconds if fault == "payout_return" else None
            self._payout_changes(row, {"status": "paid"}, comes_back)

    def _payout_changes(
        self, row: dict[str, Any], changes: dict[str, Any], due: float | None
    ) -> None:
        row = self.store.change(row["id"], changes, due=due)
        self._announce(f"payout.{row['status']}", row)

    # Work that goes on by itself

    def _announce(self, type_: str, row: dict[str, Any]) -> None:
        if self.store.take_fault("drop"):
            return
        delay = float(self.store.take_fault("delay").get("seconds", 0))
        copies = int(self.store.take_fault("duplicate").get("copies", 1))
        self.store.announce(type_, row, delay=delay, copies=copies)

    def work(self) -> None:
        """Settle what was paid, pay out what was asked, deliver what waits. Called a few times a second."""
        for kind, row in self.store.due_objects():
            if kind == "payout":
                self._payout_moves(row)
            elif row["status"] == "succeeded" and "settlement" not in row:
                self._settle(row)
        for message in self.store.due_messages(newest_first=self._newest_first):
            self._deliver(message)

    def _settle(self, row: dict[str, Any]) -> None:
        gross = Decimal(row["amount"])
        fee = (gross * FEE_PERCENT / 100).quantize(gross)
        settlement = {"reference": f"stl_{row['id'][4:]}", "gross": str(gross), "fee": str(fee)}
        self._announce("payment.settled", self.store.change(row["id"], {"settlement": settlement}))

    def _deliver(self, message: Any) -> None:
        at = _now()
        body = message["body"]
        headers = {
            "content-type": "application/json",
            "webhook-id": message["event_id"],
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": self._signer.sign(message["event_id"], at, body),
        }
        if self.post(self.webhook_url, body, headers):
            self.store.delivered(message["number"])
        else:
            self.store.undelivered(message["number"], message["attempts"])

    def post(self, url: str, body: str, headers: dict[str, str]) -> bool:
        """Whether the other side took the message."""
        try:
            return httpx.post(url, content=body, headers=headers, timeout=5).is_success
        except httpx.HTTPError:
            return False

    def add_fault(self, fault: dict[str, Any]) -> dict[str, Any]:
        if fault.get("kind") in {"reorder", "in_order"}:
            self._newest_first = fault["kind"] == "reorder"
        else:
            self.store.add_fault(fault)
        return {"waiting": self.store.faults()}


def _now() -> datetime:
    """The provider's own clock: it is another company's machine."""
    return datetime.fromtimestamp(time.time(), UTC)


def _amount(asked: dict[str, Any]) -> Decimal:
    try:
        amount = Decimal(str(asked["amount"]))
    except InvalidOperation:
        raise Refusal(422, "BAD_AMOUNT") from None
    if not amount.is_finite() or amount <= 0:
        raise Refusal(422, "BAD_AMOUNT", str(amount))
    return amount


def _reference(asked: dict[str, Any]) -> str:
    if not (reference := str(asked.get("reference", ""))):
        raise Refusal(422, "REFERENCE_MISSING")
    return reference


def _instrument(method: str, number: str, holder: str) -> dict[str, str]:
    plain = number.replace(" ", "") or "4242424242424242"
    digest = hashlib.sha256(f"{method}:{plain}".encode()).hexdigest()
    names = {"CARD": f"Visa •••• {plain[-4:]}", "BANK_TRANSFER": f"{plain[:4]} •••• {plain[-4:]}"}
    return {
        "fingerprint": digest[:32],
        "token": f"tok_{digest[:24]}",
        "masked": names.get(method, f"E-wallet {plain[:2]}•••"),
        "holder": holder,
    }


class Handler(BaseHTTPRequestHandler):
    """The wire: a bearer key for the API, none for the pages that people see."""

    protocol_version = "HTTP/1.1"
    provider: Provider
    key: str

    def do_GET(self) -> None:
        self._answer(self._get)

    def do_POST(self) -> None:
        self._answer(self._post)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Silent: the supervisor's output belongs to the system, not to its surroundings."""

    def _answer(self, act: Any) -> None:
        try:
            length = int(self.headers.get("Content-Length") or 0)
            if length > MAX_BODY:
                raise Refusal(413, "TOO_LARGE")
            raw = self.rfile.read(length) if length else b""
            address = urlsplit(self.path)
            parts = [part for part in address.path.split("/") if part]
            if parts[:1] in (["v1"], ["faults"], ["drive"]):
                self._require_key()
            reply = act(parts, raw, {k: v[0] for k, v in parse_qs(address.query).items()})
        except Refusal as refusal:
            self._json(refusal.status, {"code": refusal.code, "detail": refusal.detail})
        except (KeyError, ValueError, TypeError) as error:
            self._json(422, {"code": "BAD_REQUEST", "detail": str(error)})
        else:
            if isinstance(reply, str):
                self._send(200, reply.encode(), "text/html; charset=utf-8")
            elif reply is not None:
                self._json(200, reply)

    def _require_key(self) -> None:
        if self.headers.get("Authorization") != f"Bearer {self.key}":
            raise Refusal(401, "WRONG_KEY")

    def _get(self, parts: list[str], _: bytes, query: dict[str, str]) -> Any:
        store = self.provider.store
        match parts:
            case []:
                return control_page(store.recent(), store.faults(), store.waiting_messages())
            case ["health"]:
                return {"status": "ok"}
            case ["faults"]:
                return {"waiting": store.faults()}
            case ["pay", payment_id]:
                return self._page(payment_id)
            case ["v1", "payments"]:
                return {
                    "data": [
                        self.provider.shown(r) for r in store.find("payment", query["reference"])
                    ]
                }
            case ["v1", "payments", payment_id]:
                return self.provider.payment(payment_id)
            case ["v1", "payouts"]:
                return {"data": store.find("payout", query["reference"])}
            case ["v1", "payouts", payout_id]:
                return self.provider.payout(payout_id)
        raise Refusal(404, "UNKNOWN_PATH")

    def _post(self, parts: list[str], raw: bytes, _: dict[str, str]) -> Any:
        match parts:
            case ["pay", payment_id]:
                return self._paid(payment_id, raw)
            case ["v1", "refunds"]:
                return self.provider.refund(json.loads(raw))
            case ["faults"]:
                return self.provider.add_fault(json.loads(raw))
            case ["faults", "clear"]:
                self.provider.store.clear_faults()
                return {"waiting": []}
            case ["drive", "pay", payment_id]:
                return self.provider.pay(payment_id, holder="", instrument="")
            case ["drive", "resend", object_id]:
                return {"messages": self.provider.store.resend(object_id)}
            case ["v1", "payments"]:
                return self._with_faults(self.provider.payment_create, json.loads(raw))
            case ["v1", "payouts"]:
                return self._with_faults(self.provider.payout_create, json.loads(raw))
        raise Refusal(404, "UNKNOWN_PATH")

    def _with_faults(self, make: Any, asked: dict[str, Any]) -> dict[str, Any] | None:
        fault = self.provider.store.take_fault("error_create", "refuse_create", "timeout_create")
        if fault.get("kind") == "error_create":
            raise Refusal(500, "INTERNAL_ERROR")
        if fault.get("kind") == "refuse_create":
            raise Refusal(422, str(fault.get("code", "REFUSED_BY_ACQUIRER")))
        made: dict[str, Any] = make(asked)
        if fault.get("kind") == "timeout_create":
            time.sleep(float(fault.get("seconds", 0)))
            self.close_connection = True
            return None
        return made

    def _page(self, payment_id: str) -> str:
        try:
            payment = self.provider.payment(payment_id)
        except Refusal:
            return not_found_page()
        return (
            payment_page(payment)
            if payment["status"] == "requires_action"
            else result_page(payment)
        )

    def _paid(self, payment_id: str, raw: bytes) -> str:
        form = {key: values[0] for key, values in parse_qs(raw.decode()).items()}
        match form.get("action"):
            case "pay":
                payment = self.provider.pay(
                    payment_id, holder=form.get("holder", ""), instrument=form.get("card", "")
                )
            case "decline":
                payment = self.provider.decline(payment_id)
            case "cancel":
                payment = self.provider.cancel(payment_id)
            case _:
                raise Refusal(422, "UNKNOWN_ACTION")
        return result_page(payment)

    def _json(self, status: int, body: dict[str, Any]) -> None:
        self._send(status, json.dumps(body).encode(), "application/json")

    def _send(self, status: int, payload: bytes, kind: str) -> None:
        try:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)
        except OSError:
            self.close_connection = True


class PaymentServer(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    provider: Provider
    stopped: threading.Event

    def shutdown(self) -> None:
        self.stopped.set()
        super().shutdown()
        self.server_close()

    def keep_working(self) -> None:
        while not self.stopped.wait(0.2):
            self.provider.work()


def start(
    *,
    port: int,
    home: Path,
    key: str = "",
    webhook_url: str = "",
    webhook_secret: str = "",
    payout_seconds: float = 3.0,
    settle_seconds: float = 20.0,
    working: bool = True,
    bind: str = "127.0.0.1",
) -> PaymentServer:
    """Serve in the background (`port` 0 picks a free one); `shutdown()` ends it.

    Payers' browsers reach it under `SIMULATOR_PSP_URL`, else on this machine.

    Without `working` nothing goes on by itself: a test calls `server.provider.work()`.
    """
    from django.conf import settings

    configured = settings.PAYMENT_PROVIDERS["psp-sim"]
    home.mkdir(parents=True, exist_ok=True)
    server = PaymentServer((bind, port), type("BoundHandler", (Handler,), {}))
    server.stopped = threading.Event()
    server.provider = Provider(
        Store(home / "provider.sqlite3"),
        address=os.environ.get("SIMULATOR_PSP_URL", "")
        or f"http://127.0.0.1:{server.server_address[1]}",
        webhook_url=webhook_url or f"{settings.PUBLIC_URL}/hooks/payments/psp-sim/",
        webhook_secret=webhook_secret or configured["webhook_secrets"][0],
        payout_seconds=payout_seconds,
        settle_seconds=settle_seconds,
    )
    handler: Any = server.RequestHandlerClass
    handler.provider, handler.key = server.provider, key or configured["key"]
    threading.Thread(target=server.serve_forever, name="psp-simulator", daemon=True).start()
    if working:
        threading.Thread(target=server.keep_working, name="psp-work", daemon=True).start()
    return server
