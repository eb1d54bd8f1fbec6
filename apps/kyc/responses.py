"""How a document leaves the vault: never cached, never guessed at, never run."""

from __future__ import annotations

from django.http import HttpResponse

from apps.kyc.models import Document


def document_response(document: Document, content: bytes) -> HttpResponse:
    """The file for a browser; the caller has checked access and written the look down."""
    suffix = "pdf" if document.content_type == "application/pdf" else "jpg"
    response = HttpResponse(content, content_type=document.content_type)
    response["Content-Disposition"] = f'inline; filename="{document.pk}.{suffix}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "no-store, private"
    response["Content-Security-Policy"] = "default-src 'none'; img-src 'self'; object-src 'self'"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response
