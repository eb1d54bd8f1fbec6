"""One palette: the pages outside the admin and the admin itself cannot drift apart."""

from __future__ import annotations

import re

import pytest
from django.conf import settings

from brokeros.settings.admin import COLORS

TOKENS = (settings.BASE_DIR / "static" / "brokeros" / "tokens.css").read_text("utf-8")


@pytest.mark.parametrize("family", ["base", "primary"])
def test_the_admin_and_the_portal_share_each_colour(family: str) -> None:
    in_css = dict(re.findall(rf"--color-{family}-(\d+): ([^;]+);", TOKENS))

    assert in_css == COLORS[family]
