"""The way out of marketing, open to whoever holds the link of their own message."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from apps.core.mail.unsubscribe import leave


@csrf_exempt
@never_cache
@require_http_methods(["GET", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks and changes nothing (mail scanners open links); POST does it, also from a mail program (RFC 8058)."""
    done = request.method == "POST" and leave(token)
    status = 404 if request.method == "POST" and not done else 200
    return render(request, "mail/unsubscribe.html", {"done": done, "status": status}, status=status)
