"""Pages of the back office that belong to no model."""

from apps.core.admin.runs import run_urls

urlpatterns = run_urls()
