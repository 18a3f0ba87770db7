"""Whatever an owner writes is refused with the name of the property, or can be kept and read back."""

from hypothesis import given
from hypothesis import strategies as st

from makola.core.applications.contents import Content, read_content, write_content, write_listing
from makola.core.applications.drafts import PROPERTIES, checked_draft, with_values
from makola.core.applications.errors import InvalidApplicationError
from makola.core.applications.types import ApplicationKind, Draft
from makola.kit.outgoing import AddressPolicy

_TEXTS = st.one_of(st.text(max_size=30), st.sampled_from([
    "https://a.example/x", "https://[::1", "Finance", "camel", "private_key_jwt", "a@b.example",
    '{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}', '{"keys":[{"kty":"EC"}]}', '{"keys":{}}', "[" * 3000,
    '{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AA"}]}', "https://a.example\\@b/", "https://a.example/%zz"]))
_VALUES = st.one_of(_TEXTS, st.none(), st.booleans(), st.integers(-5, 10**10), st.lists(_TEXTS, max_size=3),
                    st.lists(st.sampled_from(["messages.send", "openid", "client:view"]), max_size=3))


@given(st.sampled_from(ApplicationKind), st.dictionaries(st.sampled_from(sorted(PROPERTIES)), _VALUES, max_size=5))
def test_what_is_kept_can_be_kept(kind: ApplicationKind, values: dict[str, object]) -> None:
    try:
        draft = checked_draft(kind, with_values(Draft("x"), values), AddressPolicy())
    except InvalidApplicationError as refused:
        assert refused.field in PROPERTIES
        return
    content = Content(draft.name, draft.oauth.requested_scopes, draft.listing)
    assert read_content(write_content(content)) == content
    for text in (draft.name, draft.oauth.jwks, write_listing(draft.listing), *draft.oauth.redirect_uris):
        assert "\0" not in text
        assert text.encode().decode() == text
    assert checked_draft(kind, draft, AddressPolicy()) == draft  # what was checked is not changed by another check
