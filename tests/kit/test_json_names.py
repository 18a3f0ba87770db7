"""Names that are in a JSON object twice."""

import json

from hypothesis import given
from hypothesis import strategies as st

from makola.kit.json_names import repeated_name

_NAMES = st.text(":\"\\a", max_size=3)
_VALUES = st.recursive(st.none() | st.integers() | _NAMES,
                       lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3),
                       max_leaves=8)


def _object(pairs: list[tuple[str, object]], space: str) -> bytes:
    return ("{" + ",".join(f"{json.dumps(name)}{space}:{space}{json.dumps(value)}" for name, value in pairs)
            + "}").encode()


@given(st.lists(st.tuples(_NAMES, _VALUES), max_size=5), st.sampled_from(["", " ", "\n"]))
def test_the_first_name_that_is_there_twice_is_found(pairs: list[tuple[str, object]], space: str) -> None:
    names = [name for name, _ in pairs]
    repeated = next((name for index, name in enumerate(names) if name in names[:index]), None)
    raw = _object(pairs, space)
    assert repeated_name(raw) == repeated
    assert repeated_name(raw, json.loads(raw)) == repeated
