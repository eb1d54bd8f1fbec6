from __future__ import annotations

from django.urls import path

from apps.payments.portal import views

urlpatterns = [
    path("wallets/", views.wallets, name="payments-wallets"),
    path("deposit/", views.deposit, name="payments-deposit"),
    path("deposit/<uuid:deposit_id>/", views.deposit_detail, name="payments-deposit-detail"),
    path(
        "deposit/<uuid:deposit_id>/cancel/", views.deposit_give_up, name="payments-deposit-cancel"
    ),
    path("withdraw/", views.withdraw, name="payments-withdraw"),
    path("withdraw/bank-account/", views.bank_account, name="payments-bank-account"),
    path(
        "withdraw/<uuid:withdrawal_id>/", views.withdrawal_detail, name="payments-withdrawal-detail"
    ),
    path(
        "withdraw/<uuid:withdrawal_id>/cancel/",
        views.withdrawal_stop,
        name="payments-withdrawal-cancel",
    ),
    path("transfer/", views.transfer, name="payments-transfer"),
    path("transfer/<uuid:transfer_id>/", views.transfer_detail, name="payments-transfer-detail"),
    path("history/", views.history, name="payments-history"),
]
