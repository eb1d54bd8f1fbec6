from __future__ import annotations

from rest_framework.routers import SimpleRouter

from apps.accounts.api.views import AccountViewSet, PlatformViewSet

router = SimpleRouter()
router.register("accounts", AccountViewSet, basename="account")
router.register("platforms", PlatformViewSet, basename="platform")

urlpatterns = router.urls
