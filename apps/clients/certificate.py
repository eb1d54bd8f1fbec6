"""The certificate of an erasure as a signed document: what went, what stays until when, and who agreed."""

from __future__ import annotations

import hashlib
from datetime import datetime

from django.utils.translation import gettext as _

from apps.clients.models import PrivacyRequest
from apps.core.errors import NotVisible
from apps.core.pdf import Document
from apps.core.privacy.registry import DataClass
from apps.core.signing import canonical, sign

PURPOSE = "erasure-certificate"


def certificate_pdf(request: PrivacyRequest) -> bytes:
    """Raises `NotVisible` while nothing was erased, `SigningKeyMissing`."""
    said = request.certificate
    if not said:
        raise NotVisible
    content = canonical(said)
    document = Document(
        title=_("Certificate of erasure"),
        at=datetime.fromisoformat(said["erased_at"]),
        subtitle=_("Client %(number)s of %(entity)s")
        % {"number": said["client"], "entity": said["entity"]},
        reference=said["request"],
    )
    document.facts(
        [
            (_("Asked"), said["asked_at"]),
            (_("Asked by"), said["asked_by"]),
            (_("Agreed to by"), ", ".join(said["agreed_by"])),
            (_("Erased"), said["erased_at"]),
        ]
    )
    document.heading(_("Erased"))
    document.table(
        [_("Data"), _("Rows"), _("Keys destroyed")],
        [
            (DataClass(part["class"]).label, sum(part["rows"].values()), len(part["keys"]))
            for part in said["erased"]
        ],
        numbers=(1, 2),
    )
    document.heading(_("Kept, because the law says so"))
    document.table(
        [_("Data"), _("Until"), _("Why"), _("Source")],
        [
            (DataClass(part["class"]).label, part["until"] or "–", part["basis"], part["source"])
            for part in said["kept"]
        ],
        widths=(20, 12, 38, 30),
    )
    digest = hashlib.sha256(content).hexdigest()
    document.signature(
        sign(content, purpose=PURPOSE), digest=digest, check=_("SHA-256 of the facts above")
    )
    document.attach("certificate.json", content, description=_("The same facts for machines"))
    return document.output()
