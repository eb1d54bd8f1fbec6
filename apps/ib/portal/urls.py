from __future__ import annotations

from django.urls import path

from apps.ib.portal import views

app_name = "partner"

urlpatterns = [
    path("", views.dashboard, name="dashboard"),
    path("apply/", views.apply, name="apply"),
    path("tree/", views.tree, name="tree"),
    path("clients/", views.clients, name="clients"),
    path("lines/", views.accruals, name="accruals"),
    path("lines/<uuid:accrual_id>/", views.accrual, name="accrual"),
    path("statement/", views.statement_page, name="statement"),
    path("payouts/", views.payouts, name="payouts"),
    path("links/", views.links, name="links"),
    path("links/<slug:code>/qr.svg", views.link_qr, name="link-qr"),
    path("invite/", views.invite, name="invite"),
]
