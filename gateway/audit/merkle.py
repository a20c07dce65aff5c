"""The Merkle tree of RFC 9162 (section 2.1), over leaf hashes.

``leaf = SHA-256(0x00 || entry)``, ``node = SHA-256(0x01 || left || right)``: the prefixes keep a node from being
passed off as an entry. `Frontier` appends in amortised constant time and is what the log keeps; the functions make
and check the two proofs, and follow the algorithms of RFC 9162 sections 2.1.3 and 2.1.4.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Final

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()
"""Root of the tree without entries."""


class ProofError(ValueError):
    """A proof does not prove what it should."""


def leaf_hash(entry: bytes) -> bytes:
    """Hash of one entry: 32 bytes."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node: 32 bytes."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """The right edge of a tree: the roots of its complete subtrees, the largest first.

    Args:
        size: Number of leaves.
        hashes: One hash for each set bit of `size`, the highest bit first.

    Raises:
        ValueError: The number of hashes does not fit the size.
    """

    __slots__ = ("_hashes", "size")

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        if size < 0 or len(hashes) != size.bit_count() or any(len(h) != HASH_BYTES for h in hashes):
            msg = "a frontier has one hash for each set bit of its size"
            raise ValueError(msg)
        self.size = size
        self._hashes = list(hashes)

    @classmethod
    def from_bytes(cls, size: int, raw: bytes) -> Frontier:
        """Read what `to_bytes` wrote."""
        return cls(size, [raw[i : i + HASH_BYTES] for i in range(0, len(raw), HASH_BYTES)])

    def to_bytes(self) -> bytes:
        """The hashes, one after another."""
        return b"".join(self._hashes)

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash."""
        node, size = leaf, self.size
        while size & 1:
            node = node_hash(self._hashes.pop(), node)
            size >>= 1
        self._hashes.append(node)
        self.size += 1

    def root(self) -> bytes:
        """Root of the tree so far."""
        if not self._hashes:
            return EMPTY_ROOT
        node = self._hashes[-1]
        for left in reversed(self._hashes[:-1]):
            node = node_hash(left, node)
        return node

    def copy(self) -> Frontier:
        """An independent copy."""
        return Frontier(self.size, self._hashes)


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Root of the tree over these leaf hashes."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


class Levels:
    """Every complete subtree of a fixed tree, so that many proofs in it cost little each.

    Args:
        leaves: The leaf hashes.
    """

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self._levels = [list(leaves)]
        while len(self._levels[-1]) > 1:
            below = self._levels[-1]
            self._levels.append([node_hash(below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)])

    def root(self, low: int, high: int) -> bytes:
        """Root over the leaves from `low` up to, not including, `high`: a range that a proof asks for."""
        size = high - low
        if size.bit_count() == 1:
            return self._levels[size.bit_length() - 1][low // size]
        middle = low + _split(size)
        return node_hash(self.root(low, middle), self.root(middle, high))


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion_proof(index: int, size: int, subtree: Callable[[int, int], bytes]) -> list[bytes]:
    """Sibling hashes from the leaf at `index` up to the root of the first `size` leaves.

    Args:
        index: Position of the leaf, from 0.
        size: Size of the tree to prove it in.
        subtree: Root over the leaves from the first index up to, not including, the second.

    Raises:
        ValueError: The index is not below the size.
    """
    if not 0 <= index < size:
        msg = "there is no such leaf in a tree of that size"
        raise ValueError(msg)
    path: list[bytes] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            path.append(subtree(middle, high))
            high = middle
        else:
            path.append(subtree(low, middle))
            low = middle
    path.reverse()
    return path


def consistency_proof(old: int, size: int, subtree: Callable[[int, int], bytes]) -> list[bytes]:
    """Hashes that prove the tree of `old` leaves to be a prefix of the tree of `size` leaves.

    Raises:
        ValueError: `old` is larger than `size`.
    """
    if not 0 <= old <= size:
        msg = "an older tree is not larger than a newer one"
        raise ValueError(msg)
    if old in (0, size):
        return []
    path: list[bytes] = []
    low, high, is_whole = 0, size, True
    while old != high:
        middle = low + _split(high - low)
        if old <= middle:
            path.append(subtree(middle, high))
            high = middle
        else:
            path.append(subtree(low, middle))
            low, is_whole = middle, False
    if not is_whole:
        path.append(subtree(low, high))
    path.reverse()
    return path


def check_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check that a leaf hash is at `index` in the tree of that size and root (RFC 9162, 2.1.3.2).

    Raises:
        ProofError: It is not proved.
    """
    _check_shape(proof, root)
    if not 0 <= index < size:
        msg = "the index is not in the tree"
        raise ProofError(msg)
    fn, sn, node = index, size - 1, leaf
    for sibling in proof:
        if sn == 0:
            msg = "the proof is too long"
            raise ProofError(msg)
        if fn & 1 or fn == sn:
            node = node_hash(sibling, node)
            while fn and not fn & 1:
                fn >>= 1
                sn >>= 1
        else:
            node = node_hash(node, sibling)
        fn >>= 1
        sn >>= 1
    if sn != 0 or node != root:
        msg = "the proof does not lead to the root"
        raise ProofError(msg)


def check_consistency(old: int, size: int, proof: Sequence[bytes], old_root: bytes, root: bytes) -> None:
    """Check that the tree of `old` leaves is a prefix of the tree of `size` leaves (RFC 9162, 2.1.4.2).

    Raises:
        ProofError: It is not proved.
    """
    _check_shape(proof, root)
    _check_shape((), old_root)
    if not 0 <= old <= size:
        msg = "the older tree is larger than the newer one"
        raise ProofError(msg)
    if old in (0, size):
        if proof or (old == size and old_root != root) or (old == 0 and old_root != EMPTY_ROOT):
            msg = "the two trees are not consistent"
            raise ProofError(msg)
        return
    path = list(proof)
    if old.bit_count() == 1:
        path.insert(0, old_root)
    if not path:
        msg = "the proof is empty"
        raise ProofError(msg)
    fn, sn = old - 1, size - 1
    while fn & 1:
        fn >>= 1
        sn >>= 1
    first = second = path[0]
    for node in path[1:]:
        if sn == 0:
            msg = "the proof is too long"
            raise ProofError(msg)
        if fn & 1 or fn == sn:
            first, second = node_hash(node, first), node_hash(node, second)
            while fn and not fn & 1:
                fn >>= 1
                sn >>= 1
        else:
            second = node_hash(second, node)
        fn >>= 1
        sn >>= 1
    if sn != 0 or first != old_root or second != root:
        msg = "the two trees are not consistent"
        raise ProofError(msg)


def _check_shape(proof: Sequence[bytes], root: bytes) -> None:
    if len(root) != HASH_BYTES or any(len(node) != HASH_BYTES for node in proof):
        msg = "a hash is 32 bytes"
        raise ProofError(msg)
