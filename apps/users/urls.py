from django.urls import path

from apps.users.welcome import welcome

urlpatterns = [path("welcome/<str:uid>/<str:token>/", welcome, name="staff-welcome")]
