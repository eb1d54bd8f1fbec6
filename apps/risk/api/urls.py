"""REST addresses of risk."""

from django.urls import path

from apps.risk.api.views import ExposureView

urlpatterns = [path("exposure/", ExposureView.as_view(), name="exposure")]
