from rest_framework.routers import SimpleRouter

from apps.payments.api.views import (
    DepositViewSet,
    TransferViewSet,
    WalletViewSet,
    WithdrawalViewSet,
)

router = SimpleRouter()
router.register("wallets", WalletViewSet, basename="wallet")
router.register("deposits", DepositViewSet, basename="deposit")
router.register("withdrawals", WithdrawalViewSet, basename="withdrawal")
router.register("transfers", TransferViewSet, basename="transfer")

urlpatterns = router.urls
