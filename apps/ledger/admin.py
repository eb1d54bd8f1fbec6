"""The books in the back office: read, drill down, correct; nothing is ever edited."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from apps.core.admin import BrokerModelAdmin, Transition, actor_of
from apps.core.money import Money
from apps.ledger.models import Account, Entry, PeriodClose, Transfer
from apps.ledger.panels import StatementPanel, TransfersPanel
from apps.ledger.permissions import CORRECT_ENTRY
from apps.ledger.querysets import sees_books
from apps.ledger.selectors import trial_balance
from apps.ledger.services import available_minor, entry_correct


class BooksAdmin(BrokerModelAdmin):
    """Rows without a history: they never change."""

    show_timeline = False

    def has_history_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Account)
class AccountAdmin(BooksAdmin):
    list_display = (
        "kind",
        "currency",
        "owner",
        "shard",
        "posted",
        "held",
        "available",
        "closed_at",
    )
    list_display_links = ("kind", "owner")
    list_filter = ("kind", "currency", "bounded")
    list_select_related = ("balance", "currency")
    search_fields = ("owner",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("kind", "currency"),
                    ("owner", "shard"),
                    ("normal", "bounded"),
                    ("opened_at", "closed_at"),
                )
            },
        ),
    )
    panels = (StatementPanel,)

    def get_urls(self) -> list[URLPattern]:
        page = path(
            "trial-balance/",
            self.admin_site.admin_view(self.trial_balance_view),
            name="ledger_trial_balance",
        )
        return [page, *super().get_urls()]

    def trial_balance_view(self, request: HttpRequest) -> HttpResponse:
        """Every kind of account per currency; debits equal credits, or somebody is alarmed."""
        if not sees_books(actor_of(request)):
            raise PermissionDenied
        books = []
        for currency, group in groupby(trial_balance(), key=lambda line: line.currency):
            lines = list(group)
            debits = sum((line.debits for line in lines), Money.zero(currency))
            credits = sum((line.credits for line in lines), Money.zero(currency))
            books.append(
                {
                    "currency": currency,
                    "lines": lines,
                    "debits": debits,
                    "credits": credits,
                    "balanced": debits == credits,
                }
            )
        context = {
            **self.admin_site.each_context(request),
            "title": _("Trial balance"),
            "books": books,
            "opts": self.opts,
        }
        return render(request, "ledger/trial_balance.html", context)

    @admin.display(description=_("posted"))
    def posted(self, obj: Account) -> str:
        balance = obj.balance
        net = balance.credits_posted - balance.debits_posted
        return _amount(obj, net if obj.normal == "C" else -net)

    @admin.display(description=_("held"))
    def held(self, obj: Account) -> str:
        balance = obj.balance
        return _amount(
            obj, balance.debits_pending if obj.normal == "C" else balance.credits_pending
        )

    @admin.display(description=_("available"))
    def available(self, obj: Account) -> str:
        return _amount(obj, available_minor(obj.balance))


def _amount(account: Account, minor: Any) -> str:
    return format_html('<span class="bo-num">{}</span>', account.money(minor))


@admin.register(Entry)
class EntryAdmin(BooksAdmin):
    list_display = ("effective_at", "kind", "idempotency_key", "actor", "reason", "corrects")
    list_display_links = ("kind", "idempotency_key")
    list_filter = ("kind",)
    list_select_related = ("corrects",)
    search_fields = ("idempotency_key", "=actor", "kind")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("kind", "idempotency_key"),
                    ("actor", "reason"),
                    ("effective_at", "created_at"),
                    "corrects",
                )
            },
        ),
    )
    panels = (TransfersPanel,)
    transitions = (
        Transition(
            "correct", _("Ask for a correction"), entry_correct, CORRECT_ENTRY, target="entry_id", tone="danger",
            visible=lambda obj: obj.corrects_id is None and not obj.corrections.exists(),
            explanation=_("Somebody else agrees; then a new entry swaps the accounts. This one stays as it is."),
        ),
    )  # fmt: skip


@admin.register(Transfer)
class TransferAdmin(BooksAdmin):
    list_display = ("id", "created_at", "debit", "credit", "sum", "phase", "expires_at")
    list_filter = ("phase", "currency")
    list_select_related = ("debit__currency", "credit__currency")
    search_fields = ("=entry__idempotency_key",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "entry",
                    ("debit", "credit"),
                    ("amount", "currency", "phase"),
                    ("pending", "expires_at"),
                    "created_at",
                )
            },
        ),
    )

    @admin.display(description=_("amount"))
    def sum(self, obj: Transfer) -> str:
        return format_html('<span class="bo-num">{}</span>', obj.money)


@admin.register(PeriodClose)
class PeriodCloseAdmin(BooksAdmin):
    list_display = ("closed_through", "closed_by", "reason", "created_at")
