from __future__ import annotations

from rest_framework.routers import SimpleRouter

from apps.kyc.api.views import DocumentViewSet, KycCaseViewSet

router = SimpleRouter()
router.register("kyc/cases", KycCaseViewSet, basename="kyc-case")
router.register("kyc/documents", DocumentViewSet, basename="kyc-document")

urlpatterns = router.urls
