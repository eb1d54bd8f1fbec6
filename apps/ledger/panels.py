"""What stands behind a figure of the books."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.core.actor import Actor
from apps.core.panels import Panel
from apps.ledger.enums import Normal
from apps.ledger.models import Account, Entry, Transfer
from apps.ledger.permissions import VIEW_LEDGER
from apps.ledger.selectors import balance_of

LATEST = 50


class StatementPanel(Panel):
    """The latest transfers of an account, each with the entry that made it."""

    title = _("Latest transfers")
    template = "ledger/panels/statement.html"
    permission = VIEW_LEDGER

    def context(self, obj: Account, actor: Actor) -> dict[str, Any]:
        rows = (
            Transfer.objects.touching(obj.pk)
            .select_related("entry", "debit__currency", "credit__currency")
            .order_by("-id")[:LATEST]
        )
        return {
            "balance": balance_of(obj),
            "lines": [_line(obj, row) for row in rows],
            "latest": LATEST,
        }


def _line(account: Account, row: Transfer) -> dict[str, Any]:
    """Seen from the account: positive is what makes it grow."""
    grows = (row.debit_id == account.pk) == (account.normal == Normal.DEBIT)
    return {
        "row": row,
        "amount": row.money if grows else -row.money,
        "other": row.credit if row.debit_id == account.pk else row.debit,
    }


class TransfersPanel(Panel):
    """Both sides of every transfer of an entry."""

    title = _("Transfers")
    template = "ledger/panels/transfers.html"
    permission = VIEW_LEDGER

    def context(self, obj: Entry, actor: Actor) -> dict[str, Any]:
        rows = obj.transfers.select_related("debit__currency", "credit__currency").order_by("id")
        return {"rows": list(rows), "corrections": list(obj.corrections.all())}
