"""The simulated provider's own books: payments, payouts, refunds and the messages still to be delivered.

One SQLite file, written before an answer leaves, so that a killed provider comes back with all it knew.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS object (
  id TEXT PRIMARY KEY, kind TEXT NOT NULL, reference TEXT NOT NULL, body TEXT NOT NULL,
  created REAL NOT NULL, due REAL, UNIQUE (kind, reference));
CREATE TABLE IF NOT EXISTS message (
  number INTEGER PRIMARY KEY, event_id TEXT NOT NULL, type TEXT NOT NULL, object_id TEXT NOT NULL,
  body TEXT NOT NULL, due REAL NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, delivered REAL);
CREATE TABLE IF NOT EXISTS fault (number INTEGER PRIMARY KEY, body TEXT NOT NULL);
"""
RETRY_SECONDS = (1, 2, 5, 10, 30, 60, 120, 300, 900, 3600)


class Store:
    """Every method is one transaction, so that threads and a kill leave nothing half written."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;" + _SCHEMA)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def _do(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def create(
        self, kind: str, prefix: str, reference: str, body: dict[str, Any]
    ) -> dict[str, Any]:
        """The object of this reference, made now unless it is there: a reference is done once."""
        identity = f"{prefix}_{secrets.token_hex(10)}"
        self._do(
            "INSERT INTO object (id, kind, reference, body, created) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (kind, reference) DO NOTHING",
            identity,
            kind,
            reference,
            json.dumps({**body, "id": identity, "reference": reference}),
            time.time(),
        )
        return self.find(kind, reference)[0]

    def get(self, identity: str) -> dict[str, Any] | None:
        rows = self._do("SELECT body FROM object WHERE id = ?", identity)
        return json.loads(rows[0]["body"]) if rows else None

    def find(self, kind: str, reference: str) -> list[dict[str, Any]]:
        rows = self._do("SELECT body FROM object WHERE kind = ? AND reference = ?", kind, reference)
        return [json.loads(row["body"]) for row in rows]

    def recent(self, limit: int = 50) -> list[dict[str, Any]]:
        rows = self._do("SELECT kind, body FROM object ORDER BY created DESC LIMIT ?", limit)
        return [{"kind": row["kind"], **json.loads(row["body"])} for row in rows]

    def change(
        self, identity: str, changes: dict[str, Any], due: float | None = None
    ) -> dict[str, Any]:
        """`due` is when the provider's own work goes on with it."""
        with self._lock:
            body = {**(self.get(identity) or {}), **changes}
            self._do(
                "UPDATE object SET body = ?, due = ? WHERE id = ?", json.dumps(body), due, identity
            )
            return body

    def due_objects(self) -> list[tuple[str, dict[str, Any]]]:
        rows = self._do("SELECT kind, body FROM object WHERE due <= ? ORDER BY due", time.time())
        return [(row["kind"], json.loads(row["body"])) for row in rows]

    def announce(
        self, type_: str, body: dict[str, Any], *, delay: float = 0, copies: int = 1
    ) -> str:
        """Queue a message. A duplicate is the same event, sent again."""
        event_id = f"evt_{secrets.token_hex(10)}"
        for number in range(copies):
            self._do(
                "INSERT INTO message (event_id, type, object_id, body, due) VALUES (?, ?, ?, ?, ?)",
                event_id,
                type_,
                body["id"],
                json.dumps({"type": type_, "data": body}),
                time.time() + delay + number * 0.3,
            )
        return event_id

    def due_messages(self, *, newest_first: bool) -> list[sqlite3.Row]:
        rows = self._do(
            "SELECT * FROM message WHERE delivered IS NULL AND due <= ? AND attempts < ?"
            " ORDER BY number LIMIT 50",
            time.time(),
            len(RETRY_SECONDS),
        )
        return rows[::-1] if newest_first else rows

    def delivered(self, number: int) -> None:
        self._do("UPDATE message SET delivered = ? WHERE number = ?", time.time(), number)

    def undelivered(self, number: int, attempts: int) -> None:
        self._do(
            "UPDATE message SET attempts = ?, due = ? WHERE number = ?",
            attempts + 1,
            time.time() + RETRY_SECONDS[min(attempts, len(RETRY_SECONDS) - 1)],
            number,
        )

    def resend(self, object_id: str) -> int:
        """Send everything about an object once more, at once."""
        rows = self._do("SELECT number FROM message WHERE object_id = ?", object_id)
        for row in rows:
            self._do(
                "UPDATE message SET delivered = NULL, attempts = 0, due = 0 WHERE number = ?",
                row["number"],
            )
        return len(rows)

    def waiting_messages(self) -> int:
        return int(self._do("SELECT count(*) AS n FROM message WHERE delivered IS NULL")[0]["n"])

    def add_fault(self, fault: dict[str, Any]) -> None:
        for _ in range(int(fault.get("times", 1))):
            self._do("INSERT INTO fault (body) VALUES (?)", json.dumps(fault))

    def take_fault(self, *kinds: str) -> dict[str, Any]:
        """The oldest waiting fault of one of these kinds; it happens once."""
        with self._lock:
            for row in self._do("SELECT number, body FROM fault ORDER BY number"):
                fault: dict[str, Any] = json.loads(row["body"])
                if fault["kind"] in kinds:
                    self._do("DELETE FROM fault WHERE number = ?", row["number"])
                    return fault
            return {}

    def faults(self) -> list[dict[str, Any]]:
        return [
            json.loads(row["body"]) for row in self._do("SELECT body FROM fault ORDER BY number")
        ]

    def clear_faults(self) -> None:
        self._do("DELETE FROM fault")
