"""REST addresses of the rules."""

from rest_framework.routers import SimpleRouter

from apps.rules.api.views import DecisionViewSet

router = SimpleRouter()
router.register("rule-decisions", DecisionViewSet, basename="rule-decision")

urlpatterns = router.urls
