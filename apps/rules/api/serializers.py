"""What integrators read of decisions."""

from __future__ import annotations

from rest_framework import serializers

from apps.rules.models import DecisionLog


class DecisionSerializer(serializers.ModelSerializer[DecisionLog]):
    """The receipt of one decision: outcome, reasons, obligations, versions, inputs."""

    class Meta:
        model = DecisionLog
        fields = (
            "id",
            "decided_at",
            "point",
            "entity",
            "outcome",
            "reasons",
            "obligations",
            "sources",
            "inputs",
            "problems",
            "results",
            "duration_us",
            "actor_label",
            "subject_type",
            "subject_id",
            "client_id",
            "request_id",
        )
        read_only_fields = fields
