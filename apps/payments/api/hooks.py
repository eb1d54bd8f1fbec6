"""Where payment providers deliver their messages: proven, stored, answered; worked on afterwards."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from prometheus_client import Counter

from apps.core.errors import DomainError
from apps.payments.errors import ForgedWebhook
from apps.payments.services.webhooks import MAX_BODY, webhook_receive

REFUSED = Counter("brokeros_webhooks_refused_total", "Webhooks that were not believed", ["code"])


@csrf_exempt
@require_POST
def payment_webhook(request: HttpRequest, provider: str) -> HttpResponse:
    """204 once the message is stored, also when it was stored before. A message that is not believed leaves a count."""
    try:
        if int(request.headers.get("Content-Length") or 0) > MAX_BODY:
            raise ForgedWebhook
        webhook_receive(provider_code=provider, raw=request.body, headers=request.headers)
    except DomainError as refusal:
        REFUSED.labels(refusal.code).inc()
        return JsonResponse({"code": refusal.code}, status=refusal.status)
    return HttpResponse(status=204)
