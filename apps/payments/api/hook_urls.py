from django.urls import path

from apps.payments.api.hooks import payment_webhook

urlpatterns = [path("payments/<slug:provider>/", payment_webhook, name="payment-webhook")]
