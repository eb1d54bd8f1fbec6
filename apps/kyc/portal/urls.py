from __future__ import annotations

from django.urls import path

from apps.kyc.portal import views

urlpatterns = [
    path("verification/", views.status, name="kyc-status"),
    path("verification/submit/", views.submit, name="kyc-submit"),
    path("verification/upload/<str:evidence>/", views.upload, name="kyc-upload"),
    path("verification/document/<uuid:document_id>/", views.document, name="kyc-document"),
]
