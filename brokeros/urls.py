"""Every address of the system, gathered from the apps."""

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView

urlpatterns = [
    path("", include("apps.portal.public_urls")),
    path("", include("apps.core.notifications.urls")),
    path("portal/", include("apps.portal.urls")),
    path("account/", include("apps.users.signin.urls")),
    path("staff/", include("apps.users.urls")),
    path("", include("apps.ib.urls")),
    path("admin/risk/exposure/", include("apps.risk.admin_urls")),
    path("admin/leavers/", include("apps.clients.admin_urls")),
    path("admin/personal/", include("apps.core.admin.reveal_urls")),
    path("admin/", include("apps.core.admin_urls")),
    path("admin/config/", include("apps.core.admin.config_pages")),
    path("admin/", admin.site.urls),
    path("api/v1/", include("apps.rules.api.urls")),
    path("api/v1/", include("apps.clients.api.urls")),
    path("api/v1/", include("apps.kyc.api.urls")),
    path("api/v1/", include("apps.accounts.api.urls")),
    path("api/v1/", include("apps.ib.api.urls")),
    path("api/v1/", include("apps.orders.api.urls")),
    path("api/v1/", include("apps.payments.api.urls")),
    path("api/v1/", include("apps.market.api.urls")),
    path("api/v1/", include("apps.risk.api.urls")),
    path("hooks/", include("apps.payments.api.hook_urls")),
    path("api/v1/schema/", SpectacularAPIView.as_view(), name="schema"),
]
