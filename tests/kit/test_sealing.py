"""Sealed values: readable with the right key, for the right purpose, and not otherwise."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makola.kit.sealing import Sealer, SealingError, key_from_file, new_key, read_key

KEY = bytes(range(32))


@given(st.binary(max_size=2000), st.text(max_size=20))
def test_what_was_sealed_is_opened(plain: bytes, purpose: str) -> None:
    sealed = Sealer(KEY).seal(purpose, plain)
    assert Sealer(KEY).open(purpose, sealed) == plain
    assert Sealer(KEY).seal(purpose, plain) != sealed


def test_another_key_another_purpose_and_a_changed_value_open_nothing() -> None:
    sealed = Sealer(KEY).seal("one", b"secret")
    changed = sealed[:-2] + ("A" if sealed[-2] != "A" else "B") + sealed[-1]
    own = Sealer(KEY)
    for sealer, purpose, value in ((Sealer(KEY[::-1]), "one", sealed), (own, "two", sealed), (own, "one", changed),
                                   (own, "one", ""), (own, "one", "a.b")):
        with pytest.raises(SealingError):
            sealer.open(purpose, value)


def test_a_key_is_32_bytes() -> None:
    assert len(read_key(new_key())) == 32
    for wrong in ("", "short", "ä" * 43, new_key() + new_key()):
        with pytest.raises(SealingError):
            read_key(wrong)
    with pytest.raises(SealingError):
        Sealer(b"short")


def test_the_file_is_made_once_and_read_by_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "sealing.key"
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: key_from_file(path), range(16)))
    assert len(keys) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["sealing.key"]
    assert key_from_file(path) in keys


def test_a_signature_is_of_one_purpose_one_key_and_one_text() -> None:
    sealer = Sealer(bytes(32))
    signature = sealer.sign("form", b"text")
    assert sealer.is_signed("form", b"text", signature)
    assert not sealer.is_signed("form", b"texts", signature)
    assert not sealer.is_signed("other", b"text", signature)
    assert not Sealer(bytes(31) + b"1").is_signed("form", b"text", signature)
    for wrong in ("", "é", signature[:-1], signature + "A", "\ud800"):
        assert not sealer.is_signed("form", b"text", wrong)
