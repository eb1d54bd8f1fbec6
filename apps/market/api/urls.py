"""REST addresses of the market."""

from rest_framework.routers import SimpleRouter

from apps.market.api.views import InstrumentViewSet

router = SimpleRouter()
router.register("instruments", InstrumentViewSet, basename="instrument")

urlpatterns = router.urls
