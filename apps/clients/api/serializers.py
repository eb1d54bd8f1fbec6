"""What the API shows of clients; personal data is masked for callers whose role lacks it."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.clients.enums import KycStatus, LiftBy, RestrictionKind
from apps.clients.models import Agreement, Client, Restriction
from apps.core import clock
from apps.core.actor import ActorKind
from apps.core.api import actor_of
from apps.core.masks import FieldMask, mask_for, shown

CONTACTS = ("email", "phone", "city")


class PersonalSerializer(serializers.Serializer[Any]):
    """`masked` says whether parts were hidden."""

    masked = serializers.BooleanField()
    email = serializers.CharField()
    phone = serializers.CharField()
    city = serializers.CharField()


class ClientSerializer(serializers.ModelSerializer[Client]):
    entity = serializers.CharField(source="entity.code")
    name = serializers.SerializerMethodField()
    personal = serializers.SerializerMethodField()
    restrictions = serializers.SerializerMethodField()

    class Meta:
        model = Client
        fields = (
            "id", "number", "entity", "kind", "name", "country", "language", "category",
            "lifecycle", "kyc_status", "kyc_level", "risk_rating", "appropriateness",
            "restrictions", "personal", "partner_code", "created_at", "activated_at",
        )  # fmt: skip
        read_only_fields = fields

    def to_representation(self, instance: Client) -> dict[str, Any]:
        """A client is told neither the risk rating nor that somebody senior looks at the case."""
        shown: dict[str, Any] = super().to_representation(instance)
        if actor_of(self.context["request"]).kind is ActorKind.CLIENT:
            shown["risk_rating"] = ""
            if shown["kyc_status"] == KycStatus.ESCALATED:
                shown["kyc_status"] = KycStatus.MANUAL_REVIEW.value
        return shown

    @extend_schema_field(
        serializers.ListField(child=serializers.ChoiceField(RestrictionKind.choices))
    )
    def get_restrictions(self, client: Client) -> list[str]:
        at = clock.now()
        return sorted({row.kind for row in client.restrictions.all() if row.binds(at)})

    @extend_schema_field(PersonalSerializer)
    def get_personal(self, client: Client) -> dict[str, Any]:
        actor, person = actor_of(self.context["request"]), client.person
        masks = {name: mask_for(actor, f"clients.Person.{name}") for name in CONTACTS}
        hidden = any(mask is not FieldMask.FULL for mask in masks.values())
        return {"masked": hidden, **{name: shown(actor, person, name) for name in CONTACTS}}

    def get_name(self, client: Client) -> str:
        actor, person = actor_of(self.context["request"]), client.person
        names = (shown(actor, person, name) for name in ("first_name", "last_name"))
        return " ".join(name for name in names if name)


class AgreementSerializer(serializers.ModelSerializer[Agreement]):
    entity = serializers.CharField(source="entity.code")

    class Meta:
        model = Agreement
        fields = (
            "id", "entity", "code", "version", "language", "title", "body", "body_sha256",
            "required", "in_force_from",
        )  # fmt: skip
        read_only_fields = fields


class RestrictionSerializer(serializers.ModelSerializer[Restriction]):
    """Staff's view; a client learns the kinds alone, from the client resource."""

    client = serializers.UUIDField(source="client_id")
    in_force = serializers.SerializerMethodField()

    class Meta:
        model = Restriction
        fields = (
            "id", "client", "kind", "source", "source_ref", "reason", "lift_by", "added_by",
            "created_at", "expires_at", "in_force", "lifted_at", "lifted_by", "lift_reason",
        )  # fmt: skip
        read_only_fields = fields

    def get_in_force(self, restriction: Restriction) -> bool:
        return restriction.binds(clock.now())


class AddRestrictionSerializer(serializers.Serializer[Any]):
    client_id = serializers.UUIDField()
    kind = serializers.ChoiceField(RestrictionKind.choices)
    reason = serializers.CharField(min_length=3, max_length=300)
    lift_by = serializers.ChoiceField(LiftBy.choices, default=LiftBy.STAFF)
    source_ref = serializers.CharField(max_length=80, required=False, default="")
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)


class ReasonSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(min_length=3, max_length=300)
