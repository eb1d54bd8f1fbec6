from __future__ import annotations

from rest_framework.routers import SimpleRouter

from apps.clients.api.views import AgreementViewSet, ClientViewSet, RestrictionViewSet

router = SimpleRouter()
router.register("clients", ClientViewSet, basename="client")
router.register("agreements", AgreementViewSet, basename="agreement")
router.register("restrictions", RestrictionViewSet, basename="restriction")

urlpatterns = router.urls
