"""Keys from the environment, or made at home: one sentence for whoever gave a wrong one."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from apps.core.privacy.errors import KeyLost, SealBroken
from apps.core.privacy.keyring import Keyring, house_keys, parse_key, parse_keys

ONE, TWO = (base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))


def test_the_first_key_wraps_and_every_key_unwraps() -> None:
    old = Keyring(parse_keys(f"2025:{ONE}", "K"))
    kek, wrapped = old.wrap(b"s" * 32, b"whose")
    both = Keyring(parse_keys(f"2026:{TWO},2025:{ONE}", "K"))

    assert kek == "2025"
    assert both.unwrap("2025", wrapped, b"whose") == b"s" * 32
    assert both.wrap(b"s" * 32, b"whose")[0] == "2026"
    with pytest.raises(SealBroken):
        both.unwrap("2025", wrapped, b"somebody else's")
    with pytest.raises(KeyLost):
        Keyring(parse_keys(f"2026:{TWO}", "K")).unwrap("2025", wrapped, b"whose")
    assert ONE not in repr(both)


@pytest.mark.parametrize("text", ["", " , ", f":{ONE}", f"{'x' * 41}:{ONE}"])
def test_a_ring_without_a_named_key_is_one_sentence(text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"BROKEROS_KEK names no key: .*\.$"):
        parse_keys(text, "BROKEROS_KEK")


@pytest.mark.parametrize("text", ["", "nonsense", base64.b64encode(b"short").decode()])
def test_a_key_of_the_wrong_size_is_one_sentence_and_not_repeated(text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="must hold 32 random bytes"):
        parse_key(text, "BROKEROS_INDEX_KEY")


def test_a_home_makes_its_keys_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "home" / "privacy-keys.json"

    first, second = house_keys(file), house_keys(file)

    assert first == second
    assert file.stat().st_mode & 0o777 == 0o600
    assert parse_keys(first["kek"], "K").keys() == {"home"}
    assert [path.name for path in file.parent.iterdir()] == ["privacy-keys.json"]
