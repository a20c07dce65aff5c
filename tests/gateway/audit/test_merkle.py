"""The tree against the definition of RFC 9162, and the cases of the public transparency-log vectors rebuilt.

The public vectors (transparency-dev/merkle, testdata) are named after what is wrong with a proof: truncated, with
trailing garbage, with swapped or wrong roots, of a size one off, bit-flipped. Each is made here from trees of our own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.audit.merkle import (
    EMPTY_ROOT,
    Frontier,
    Levels,
    ProofError,
    check_consistency,
    check_inclusion,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_of,
)
from gateway.audit.standalone_verify import Tree

SIZES = [*range(1, 34), 63, 64, 65, 100, 127, 128, 129]


def by_definition(leaves: Sequence[bytes]) -> bytes:
    """RFC 9162, 2.1.1, word for word: the split is the largest power of two below n."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + by_definition(leaves[:k]) + by_definition(leaves[k:])).digest()


def leaves_of(size: int) -> list[bytes]:
    return [leaf_hash(f"entry {i}".encode()) for i in range(size)]


def test_known_roots_of_the_certificate_transparency_test_data() -> None:
    """Roots over the leaves that implementations of RFC 6962 share as test data."""
    entries = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    leaves = [leaf_hash(bytes.fromhex(e)) for e in entries]
    assert leaves[0].hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert root_of(leaves[:2]).hex() == "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
    assert root_of(leaves).hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


@pytest.mark.parametrize("size", range(301))
def test_three_ways_to_the_root_agree(size: int) -> None:
    """The frontier, the verifier's own tree, and the recursive definition, for every size up to 300."""
    leaves = leaves_of(size)
    other = Tree()
    for leaf in leaves:
        other.add(leaf)
    assert root_of(leaves) == by_definition(leaves) == other.root()


def test_levels_give_the_root_of_every_range_a_proof_asks_for() -> None:
    """Complete subtrees and the ragged right edge."""
    leaves = leaves_of(100)
    levels = Levels(leaves)
    for low, high in ((0, 100), (0, 64), (64, 100), (96, 100), (99, 100), (64, 96), (0, 1)):
        assert levels.root(low, high) == by_definition(leaves[low:high])


def test_frontier_survives_storage() -> None:
    """What the database keeps is enough to go on."""
    frontier = Frontier()
    for leaf in leaves_of(77):
        frontier = Frontier.from_bytes(frontier.size, frontier.to_bytes())
        frontier.append(leaf)
    assert frontier.root() == by_definition(leaves_of(77))


@pytest.mark.parametrize("size", [-1, 1, 3])
def test_frontier_of_the_wrong_shape_is_refused(size: int) -> None:
    """A size that does not fit its hashes is a damaged head."""
    with pytest.raises(ValueError, match="frontier"):
        Frontier(size, [])


@pytest.mark.parametrize("size", SIZES)
def test_every_leaf_is_proved(size: int) -> None:
    """Each index of each size, by the algorithm of 2.1.3.2."""
    leaves, levels = leaves_of(size), Levels(leaves_of(size))
    for index in range(size):
        proof = inclusion_proof(index, size, levels.root)
        check_inclusion(leaves[index], index, size, proof, by_definition(leaves))


@pytest.mark.parametrize("size", SIZES)
def test_every_older_tree_is_consistent(size: int) -> None:
    """Each older size, by the algorithm of 2.1.4.2."""
    leaves, levels = leaves_of(size), Levels(leaves_of(size))
    for old in range(size + 1):
        proof = consistency_proof(old, size, levels.root)
        check_consistency(old, size, proof, by_definition(leaves[:old]), by_definition(leaves))


WRONG_INCLUSION = [
    "truncated-proof", "extended-proof", "trailing-garbage", "leading-garbage", "wrong-leaf",
    "wrong-root", "empty-root", "index-plus-1", "index-minus-1", "index-negative", "index-at-size",
    "size-plus-1", "size-halved", "size-zero", "flipped-bit-in-leaf", "swapped-siblings",
    "short-hash", "root-as-sibling",
]  # fmt: skip


@pytest.mark.parametrize("case", WRONG_INCLUSION)
@pytest.mark.parametrize(("index", "size"), [(0, 8), (5, 8), (2, 3), (6, 7), (4, 5), (11, 100)])
def test_wrong_inclusion_proof_is_refused(case: str, index: int, size: int) -> None:
    """Each way in which the public vectors spoil a proof."""
    leaves = leaves_of(size)
    proof = inclusion_proof(index, size, Levels(leaves).root)
    leaf, root = leaves[index], by_definition(leaves)
    check_inclusion(leaf, index, size, proof, root)
    spoilt = {
        "truncated-proof": (leaf, index, size, proof[:-1], root),
        "extended-proof": (leaf, index, size, [*proof, proof[-1]], root),
        "trailing-garbage": (leaf, index, size, [*proof, b""], root),
        "leading-garbage": (leaf, index, size, [leaf, *proof], root),
        "wrong-leaf": (leaf_hash(b"another"), index, size, proof, root),
        "wrong-root": (leaf, index, size, proof, leaf_hash(b"root")),
        "empty-root": (leaf, index, size, proof, b""),
        "index-plus-1": (leaf, index + 1, size, proof, root),
        "index-minus-1": (leaf, index - 1, size, proof, root),
        "index-negative": (leaf, -1, size, proof, root),
        "index-at-size": (leaf, size, size, proof, root),
        "size-plus-1": (leaf, index, size * 2 + 1, proof, root),
        "size-halved": (leaf, index, index, proof, root),
        "size-zero": (leaf, index, 0, proof, root),
        "flipped-bit-in-leaf": (bytes([leaf[0] ^ 1]) + leaf[1:], index, size, proof, root),
        "swapped-siblings": (leaf, index, size, [*proof[1:], proof[0], leaf], root),
        "short-hash": (leaf, index, size, [proof[0][:31], *proof[1:]], root),
        "root-as-sibling": (root, 0, 1, [root], root),
    }
    with pytest.raises(ProofError):
        check_inclusion(*spoilt[case])


WRONG_CONSISTENCY = [
    "truncated-proof", "trailing-garbage", "empty-proof", "swapped-roots", "wrong-root1", "wrong-root2", "size1-plus-1",
    "size1-minus-1", "size2-plus-1", "sizes-swapped", "leading-garbage", "flipped-bit", "same-size-other-root",
    "empty-with-wrong-root", "empty-with-proof",
]  # fmt: skip


@pytest.mark.parametrize("case", WRONG_CONSISTENCY)
@pytest.mark.parametrize(("old", "size"), [(3, 7), (4, 7), (6, 8), (7, 8), (33, 100), (64, 100)])
def test_wrong_consistency_proof_is_refused(case: str, old: int, size: int) -> None:
    """Each way in which the public vectors spoil a proof."""
    leaves = leaves_of(size)
    proof = consistency_proof(old, size, Levels(leaves).root)
    one, two = by_definition(leaves[:old]), by_definition(leaves)
    check_consistency(old, size, proof, one, two)
    flipped = [bytes([proof[0][0] ^ 0x80]) + proof[0][1:], *proof[1:]]
    spoilt = {
        "truncated-proof": (old, size, proof[:-1], one, two),
        "trailing-garbage": (old, size, [*proof, two], one, two),
        "empty-proof": (old, size, [], one, two),
        "swapped-roots": (old, size, proof, two, one),
        "wrong-root1": (old, size, proof, leaf_hash(b"x"), two),
        "wrong-root2": (old, size, proof, one, leaf_hash(b"x")),
        "size1-plus-1": (old + 1, size, proof, one, two),
        "size1-minus-1": (old - 1, size, proof, one, two),
        "size2-plus-1": (old, 2 * size + 1, proof, one, two),
        "sizes-swapped": (size, old, proof, one, two),
        "leading-garbage": (old, size, [one, two, *proof], one, two),
        "flipped-bit": (old, size, flipped, one, two),
        "same-size-other-root": (size, size, [], one, two),
        "empty-with-wrong-root": (0, size, [], one, two),
        "empty-with-proof": (0, size, proof, EMPTY_ROOT, two),
    }
    with pytest.raises(ProofError):
        check_consistency(*spoilt[case])


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_any_flipped_bit_of_a_proof_is_refused(data: st.DataObject) -> None:
    """No bit of leaf, proof or root is free."""
    size = data.draw(st.integers(2, 130))
    index = data.draw(st.integers(0, size - 1))
    leaves = leaves_of(size)
    parts = [leaves[index], *inclusion_proof(index, size, Levels(leaves).root), by_definition(leaves)]
    which, bit = data.draw(st.integers(0, len(parts) - 1)), data.draw(st.integers(0, 255))
    part = bytearray(parts[which])
    part[bit // 8] ^= 1 << (bit % 8)
    parts[which] = bytes(part)
    with pytest.raises(ProofError):
        check_inclusion(parts[0], index, size, parts[1:-1], parts[-1])


def test_a_node_cannot_be_passed_off_as_an_entry() -> None:
    """Second preimage: the text of an inner node, taken as an entry, has another hash than the node."""
    left, right = leaves_of(2)
    assert leaf_hash(left + right) != by_definition([left, right])
    assert leaf_hash(b"\x01" + left + right) != by_definition([left, right])


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_no_proof_is_made_of_what_is_not_there(index: int, size: int) -> None:
    """The maker refuses too."""
    with pytest.raises(ValueError, match="no such leaf"):
        inclusion_proof(index, size, Levels(leaves_of(3)).root)
