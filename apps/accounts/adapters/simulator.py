"""A trading platform on this machine: an HTTP server with accounts, balance operations and faults on demand.

It is an outside system: it knows nothing of ours but the references it was given. Every change is one line of a
journal that is on disk before the answer leaves, and a restart reads the journal back.
"""

from __future__ import annotations

import json
import os
import threading
import time
from decimal import Decimal, InvalidOperation
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

FIRST_LOGIN = 500_001
KEY_ENVIRONMENT = "BROKEROS_SIMULATOR_KEY"
DEFAULT_KEY = "demo-simulators"
RIGHTS = ("FULL", "CLOSE_ONLY", "READ_ONLY", "DISABLED")
SIGN = {"DEPOSIT": 1, "WITHDRAWAL": -1, "CREDIT_IN": 1, "CREDIT_OUT": -1, "CORRECTION": 1}
FAULTS = ("delay", "duplicate", "timeout_after", "error_500", "error_500_after", "restart")


class Refusal(Exception):
    def __init__(self, status: int, code: str, detail: str = "") -> None:
        self.status, self.code, self.detail = status, code, detail
        super().__init__(code)


class Book:
    """The platform's accounts and what it did for each reference, rebuilt from its journal."""

    def __init__(self, journal: Path, *, capacity: int = 100_000) -> None:
        self._journal = journal
        self._capacity = capacity
        self._lock = threading.Lock()
        self.load()

    def load(self) -> None:
        """Forget everything in memory and read the journal; a torn last line was never answered."""
        with self._lock:
            self.accounts: dict[str, dict[str, Any]] = {}
            self.operations: dict[str, dict[str, Any]] = {}
            if not self._journal.exists():
                return
            whole = self._journal.read_bytes()
            kept = whole[: whole.rfind(b"\n") + 1]
            if len(kept) != len(whole):
                self._journal.write_bytes(kept)
            for line in kept.splitlines():
                self._apply(json.loads(line))

    def execute(self, kind: str, login: str, request: dict[str, Any]) -> dict[str, Any]:
        """Do it once per reference: a repeat gets the first answer, other content under it is refused."""
        reference = str(request.get("reference", ""))
        if not reference:
            raise Refusal(422, "REFERENCE_MISSING")
        with self._lock:
            if (done := self.operations.get(reference)) is not None:
                if done["kind"] != kind or done["request"] != request:
                    raise Refusal(409, "REFERENCE_REUSED", reference)
                return done["result"]
            result = self._decide(kind, login, request)
            row = {"kind": kind, "request": request, "result": result}
            self._write(row)
            self._apply(row)
            return result

    def operation(self, reference: str) -> dict[str, Any]:
        with self._lock:
            if (done := self.operations.get(reference)) is None:
                raise Refusal(404, "UNKNOWN_REFERENCE", reference)
            return done["result"]

    def account(self, login: str) -> dict[str, Any]:
        with self._lock:
            return dict(self._known(login))

    def _known(self, login: str) -> dict[str, Any]:
        if (account := self.accounts.get(login)) is None:
            raise Refusal(404, "UNKNOWN_LOGIN", login)
        return account

    def _decide(self, kind: str, login: str, request: dict[str, Any]) -> dict[str, Any]:
        if kind == "CREATE":
            login, details = self._created(request)
        elif kind == "CHANGE":
            details = self._changed(login, request)
        else:
            details = self._balance(login, request)
        return {"reference": request["reference"], "login": login, "details": details}

    def _created(self, request: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        if len(self.accounts) >= self._capacity:
            raise Refusal(409, "LOGIN_RANGE_EXHAUSTED")
        leverage = _positive(request, "leverage")
        details = {
            "group": str(request["group"]),
            "currency": str(request["currency"]),
            "leverage": leverage,
            "mode": str(request["mode"]),
            "rights": "FULL",
        }
        return str(FIRST_LOGIN + len(self.accounts)), details

    def _changed(self, login: str, request: dict[str, Any]) -> dict[str, Any]:
        self._known(login)
        details: dict[str, Any] = {}
        if "leverage" in request:
            details["leverage"] = _positive(request, "leverage")
        if "rights" in request:
            if request["rights"] not in RIGHTS:
                raise Refusal(422, "UNKNOWN_RIGHTS", str(request["rights"]))
            details["rights"] = request["rights"]
        if "group" in request:
            details["group"] = str(request["group"])
        if not details:
            raise Refusal(422, "NOTHING_TO_CHANGE")
        return details

    def _balance(self, login: str, request: dict[str, Any]) -> dict[str, Any]:
        account = self._known(login)
        kind = str(request["kind"])
        if kind not in SIGN:
            raise Refusal(422, "UNKNOWN_KIND", kind)
        if request["currency"] != account["currency"]:
            raise Refusal(422, "WRONG_CURRENCY", str(request["currency"]))
        try:
            amount = Decimal(str(request["amount"]))
        except InvalidOperation:
            raise Refusal(422, "BAD_AMOUNT") from None
        if not amount.is_finite() or (kind != "CORRECTION" and amount <= 0):
            raise Refusal(422, "BAD_AMOUNT", str(amount))
        purse = "credit" if kind.startswith("CREDIT") else "balance"
        after = Decimal(account[purse]) + SIGN[kind] * amount
        if SIGN[kind] < 0 and after < 0:
            raise Refusal(409, "NOT_ENOUGH_MONEY", account[purse])
        return {"ticket": len(self.operations) + 1, purse: str(after)}

    def _write(self, row: dict[str, Any]) -> None:
        with self._journal.open("ab") as file:
            file.write(json.dumps(row).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def _apply(self, row: dict[str, Any]) -> None:
        result = row["result"]
        self.operations[result["reference"]] = row
        login = result["login"]
        if row["kind"] == "CREATE":
            self.accounts[login] = {
                "login": login, **result["details"], "balance": "0", "credit": "0"
            }  # fmt: skip
            return
        changes = {key: value for key, value in result["details"].items() if key != "ticket"}
        self.accounts[login].update(changes)


def _positive(request: dict[str, Any], name: str) -> int:
    value = request.get(name)
    if not isinstance(value, int) or value < 1:
        raise Refusal(422, f"BAD_{name.upper()}", str(value))
    return value


class Faults:
    """Faults waiting for the next changing requests, in the order they were asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[dict[str, Any]] = []

    def add(self, fault: dict[str, Any]) -> None:
        if fault.get("kind") not in FAULTS:
            raise Refusal(422, "UNKNOWN_FAULT", str(fault.get("kind")))
        times = int(fault.get("times", 1))
        with self._lock:
            self._waiting += [fault] * times

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()

    def take(self) -> dict[str, Any]:
        with self._lock:
            return self._waiting.pop(0) if self._waiting else {}

    def waiting(self) -> list[str]:
        with self._lock:
            return [str(fault["kind"]) for fault in self._waiting]


class Handler(BaseHTTPRequestHandler):
    """The wire: a bearer key, JSON in and out, `/faults` to misbehave on purpose."""

    protocol_version = "HTTP/1.1"
    book: Book
    faults: Faults
    key: str

    def do_GET(self) -> None:
        self._answer(self._read)

    def do_POST(self) -> None:
        self._answer(self._write)

    def do_PATCH(self) -> None:
        self._answer(self._write)

    def do_DELETE(self) -> None:
        self._answer(self._write)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Silent: the supervisor's output belongs to the system, not to its surroundings."""

    def _answer(self, act: Any) -> None:
        try:
            length = int(self.headers.get("Content-Length") or 0)
            raw = self.rfile.read(length) if length else b""
            if self.headers.get("Authorization") != f"Bearer {self.key}":
                raise Refusal(401, "WRONG_KEY")
            body = json.loads(raw) if raw else {}
            if not isinstance(body, dict):
                raise Refusal(422, "BAD_REQUEST", "an object is needed")
            reply = act(body)
        except Refusal as refusal:
            self._send(refusal.status, {"code": refusal.code, "detail": refusal.detail})
        except (KeyError, ValueError, TypeError) as error:
            self._send(422, {"code": "BAD_REQUEST", "detail": str(error)})
        else:
            if reply is not None:
                self._send(200, reply)

    def _read(self, _: dict[str, Any]) -> dict[str, Any]:
        match self._parts():
            case ["health"]:
                return {
                    "status": "ok", "accounts": len(self.book.accounts),
                    "server_time": time.time(), "version": "1",
                }  # fmt: skip
            case ["faults"]:
                return {"waiting": self.faults.waiting()}
            case ["accounts", login]:
                return self.book.account(login)
            case ["operations", reference]:
                return self.book.operation(reference)
        raise Refusal(404, "UNKNOWN_PATH")

    def _write(self, body: dict[str, Any]) -> dict[str, Any] | None:
        match (self.command, self._parts()):
            case ("POST", ["faults"]):
                self.faults.add(body)
                return {"waiting": self.faults.waiting()}
            case ("DELETE", ["faults"]):
                self.faults.clear()
                return {"waiting": []}
            case ("POST", ["accounts"]):
                return self._with_faults("CREATE", "", body)
            case ("PATCH", ["accounts", login]):
                return self._with_faults("CHANGE", login, body)
            case ("POST", ["accounts", login, "balance"]):
                return self._with_faults("BALANCE", login, body)
        raise Refusal(404, "UNKNOWN_PATH")

    def _with_faults(self, kind: str, login: str, body: dict[str, Any]) -> dict[str, Any] | None:
        fault = self.faults.take()
        name = fault.get("kind")
        if name == "error_500":
            raise Refusal(500, "INTERNAL_ERROR")
        if name == "delay":
            time.sleep(float(fault.get("seconds", 0.5)))
        result = self.book.execute(kind, login, body)
        if name == "duplicate":
            result = self.book.execute(kind, login, body)
        if name == "restart":
            self.book.load()
        if name in {"timeout_after", "restart"}:
            time.sleep(float(fault.get("seconds", 0)))
            self.close_connection = True
            return None
        if name == "error_500_after":
            raise Refusal(500, "INTERNAL_ERROR")
        return result

    def _parts(self) -> list[str]:
        return [part for part in self.path.partition("?")[0].split("/") if part]

    def _send(self, status: int, body: dict[str, Any]) -> None:
        payload = json.dumps(body).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)
        except OSError:
            self.close_connection = True


class PlatformServer(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True


def start(
    *, port: int, home: Path, key: str = "", capacity: int = 100_000, bind: str = "127.0.0.1"
) -> PlatformServer:
    """Serve in the background (`port` 0 picks a free one); `shutdown()` ends it."""
    home.mkdir(parents=True, exist_ok=True)
    handler = type(
        "BoundHandler",
        (Handler,),
        {
            "book": Book(home / "journal.jsonl", capacity=capacity),
            "faults": Faults(),
            "key": key or os.environ.get(KEY_ENVIRONMENT, DEFAULT_KEY),
        },
    )
    server = PlatformServer((bind, port), handler)
    threading.Thread(target=server.serve_forever, name="platform-simulator", daemon=True).start()
    return server
