from __future__ import annotations

from rest_framework.routers import SimpleRouter

from apps.ib.api.views import AccrualViewSet, PartnerViewSet, PayoutViewSet, PlanViewSet

router = SimpleRouter()
router.register("partners", PartnerViewSet, basename="partner")
router.register("plans", PlanViewSet, basename="plan")
router.register("accruals", AccrualViewSet, basename="accrual")
router.register("payouts", PayoutViewSet, basename="payout")

urlpatterns = router.urls
