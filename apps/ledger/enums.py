"""The chart of accounts and the phases of a transfer."""

from __future__ import annotations

from typing import NamedTuple

from django.db import models
from django.utils.translation import gettext_lazy as _


class Normal(models.TextChoices):
    """The side on which an account grows."""

    DEBIT = "D", _("Debit")
    CREDIT = "C", _("Credit")


class Group(models.TextChoices):
    """Where a kind of account stands in the balance sheet."""

    ASSET = "ASSET", _("Asset")
    LIABILITY = "LIABILITY", _("Liability")
    INCOME = "INCOME", _("Income")
    EXPENSE = "EXPENSE", _("Expense")
    EQUITY = "EQUITY", _("Equity")


class AccountKind(models.TextChoices):
    """The chart. One row of `CHART` says how each kind behaves."""

    BANK_CLIENT_MONEY = "BANK_CLIENT_MONEY", _("Bank, client money")
    BANK_OWN = "BANK_OWN", _("Bank, own money")
    PSP_CLEARING = "PSP_CLEARING", _("Payment provider clearing")
    LP_COLLATERAL = "LP_COLLATERAL", _("Liquidity provider collateral")
    CLIENT_WALLET = "CLIENT_WALLET", _("Client wallet")
    CLIENT_TRADING = "CLIENT_TRADING", _("Client trading account")
    WITHDRAWAL_IN_TRANSIT = "WITHDRAWAL_IN_TRANSIT", _("Withdrawals in transit")
    TRANSFER_IN_TRANSIT = "TRANSFER_IN_TRANSIT", _("Transfers in transit")
    IB_PAYABLE = "IB_PAYABLE", _("Payable to partners")
    SUSPENSE_UNALLOCATED = "SUSPENSE_UNALLOCATED", _("Suspense, unallocated money")
    INCOME_SPREAD = "INCOME_SPREAD", _("Income from spread")
    INCOME_COMMISSION = "INCOME_COMMISSION", _("Income from commission")
    INCOME_SWAP = "INCOME_SWAP", _("Income from swap")
    INCOME_FEES = "INCOME_FEES", _("Income from fees")
    BBOOK_PNL = "BBOOK_PNL", _("Result of the house book")
    PSP_FEES = "PSP_FEES", _("Payment provider fees")
    IB_COMMISSION = "IB_COMMISSION", _("Partner commission")
    CHARGEBACK_LOSS = "CHARGEBACK_LOSS", _("Chargeback losses")
    NBP_WRITEOFF = "NBP_WRITEOFF", _("Negative balance write-offs")
    EQUITY = "EQUITY", _("Equity")
    FX_POSITION = "FX_POSITION", _("Currency position")


class Behaviour(NamedTuple):
    """`bounded`: the database refuses to let the account go below zero. `sharded`: a hot house
    account may be split into several rows that reports add up."""

    group: Group
    normal: Normal
    bounded: bool
    sharded: bool = False


_ASSET, _LIABILITY = Group.ASSET, Group.LIABILITY
_D, _C = Normal.DEBIT, Normal.CREDIT

CHART: dict[AccountKind, Behaviour] = {
    AccountKind.BANK_CLIENT_MONEY: Behaviour(_ASSET, _D, False, True),
    AccountKind.BANK_OWN: Behaviour(_ASSET, _D, False, True),
    AccountKind.PSP_CLEARING: Behaviour(_ASSET, _D, False, True),
    AccountKind.LP_COLLATERAL: Behaviour(_ASSET, _D, False),
    AccountKind.CLIENT_WALLET: Behaviour(_LIABILITY, _C, True),
    AccountKind.CLIENT_TRADING: Behaviour(_LIABILITY, _C, False),
    AccountKind.WITHDRAWAL_IN_TRANSIT: Behaviour(_LIABILITY, _C, True),
    AccountKind.TRANSFER_IN_TRANSIT: Behaviour(_LIABILITY, _C, True),
    AccountKind.IB_PAYABLE: Behaviour(_LIABILITY, _C, False),
    AccountKind.SUSPENSE_UNALLOCATED: Behaviour(_LIABILITY, _C, True),
    AccountKind.INCOME_SPREAD: Behaviour(Group.INCOME, _C, False),
    AccountKind.INCOME_COMMISSION: Behaviour(Group.INCOME, _C, False),
    AccountKind.INCOME_SWAP: Behaviour(Group.INCOME, _C, False),
    AccountKind.INCOME_FEES: Behaviour(Group.INCOME, _C, False),
    AccountKind.BBOOK_PNL: Behaviour(Group.INCOME, _C, False),
    AccountKind.PSP_FEES: Behaviour(Group.EXPENSE, _D, False),
    AccountKind.IB_COMMISSION: Behaviour(Group.EXPENSE, _D, False),
    AccountKind.CHARGEBACK_LOSS: Behaviour(Group.EXPENSE, _D, False),
    AccountKind.NBP_WRITEOFF: Behaviour(Group.EXPENSE, _D, False),
    AccountKind.EQUITY: Behaviour(Group.EQUITY, _C, False),
    AccountKind.FX_POSITION: Behaviour(Group.EQUITY, _C, False),
}

SHARDS = 16


class Phase(models.TextChoices):
    """TigerBeetle's two-phase transfers: a pending one is resolved at most once."""

    SINGLE = "single", _("Single")
    PENDING = "pending", _("Pending")
    POST = "post", _("Posted")
    VOID = "void", _("Voided")
