"""Files sealed piece by piece, so that a large one is opened while it is sent and never whole in memory.

The layout follows the STREAM construction (Hoang, Reyhanitabar, Rogaway and Vizár, 2015): each piece is AES-256-GCM
under a nonce of a random start, its number and whether it is the last, so that pieces which were altered, swapped,
repeated or cut off do not open.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from cryptography.exceptions import InvalidTag

from apps.core.privacy.errors import SealBroken
from apps.core.privacy.keys import Key, key_for_reading

MAGIC = b"\x01BOS"
PIECE = 64 * 1024
TAG = 16
START = 7


def sealed_pieces(key: Key, content: Iterable[bytes], place: bytes) -> Iterator[bytes]:
    """The sealed file for `content`, whatever the sizes of its parts."""
    start = os.urandom(START)
    yield MAGIC + key.id.bytes + start
    number, waiting = 0, b""
    for part in content:
        waiting += part
        while len(waiting) > PIECE:
            yield key.cipher.encrypt(_nonce(start, number, last=False), waiting[:PIECE], place)
            waiting, number = waiting[PIECE:], number + 1
    yield key.cipher.encrypt(_nonce(start, number, last=True), waiting, place)


def opened_pieces(file: BinaryIO, place: bytes) -> Iterator[bytes]:
    """What was sealed, piece by piece. Raises `SealBroken`, `KeyLost`, `KeyDestroyed`."""
    head = file.read(len(MAGIC) + 16 + START)
    column = place.decode().partition(":")[0]
    if len(head) != len(MAGIC) + 16 + START or not head.startswith(MAGIC):
        raise SealBroken(column=column)
    key = key_for_reading(head[len(MAGIC) : len(MAGIC) + 16])
    start, number = head[-START:], 0
    piece = file.read(PIECE + TAG)
    while True:
        following = file.read(PIECE + TAG)
        try:
            yield key.cipher.decrypt(_nonce(start, number, last=not following), piece, place)
        except InvalidTag as error:
            raise SealBroken(column=column) from error
        if not following:
            return
        piece, number = following, number + 1


def _nonce(start: bytes, number: int, *, last: bool) -> bytes:
    return start + number.to_bytes(4, "big") + (b"\x01" if last else b"\x00")
