"""Who may look at documents and who may decide."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core.permissions import Permission

VIEW_CASES = Permission("kyc.view_kyccase", _("See KYC cases"))
VIEW_DOCUMENTS = Permission("kyc.view_document", _("See documents and their images"))
REVIEW_CASE = Permission("kyc.review_case", _("Claim KYC cases and decide on documents"))
APPROVE_CASE = Permission("kyc.approve_case", _("Approve KYC cases"))
REJECT_CASE = Permission("kyc.reject_case", _("Reject KYC cases for good"))
UPLOAD_OWN = Permission("kyc.upload_own", _("Send in one's own documents"))
