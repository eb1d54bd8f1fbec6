from __future__ import annotations

from rest_framework.routers import SimpleRouter

from apps.orders.api.views import ExecutionViewSet, OrderViewSet, PositionViewSet

router = SimpleRouter()
router.register("orders", OrderViewSet, basename="order")
router.register("executions", ExecutionViewSet, basename="execution")
router.register("positions", PositionViewSet, basename="position")

urlpatterns = router.urls
