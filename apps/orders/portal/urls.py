from __future__ import annotations

from django.urls import path

from apps.orders.portal import views

urlpatterns = [
    path("trade/", views.ticket, name="orders-ticket"),
    path("trade/live/", views.live, name="orders-live"),
    path("trade/bars/<str:symbol>/", views.bars, name="orders-bars"),
    path("positions/", views.positions, name="orders-positions"),
    path("positions/<int:position_id>/close/", views.close, name="orders-close"),
    path("orders/", views.history, name="orders-history"),
    path("orders/<int:order_id>/", views.order, name="orders-order"),
    path("orders/<int:order_id>/cancel/", views.cancel, name="orders-cancel"),
]
