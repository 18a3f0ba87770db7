"""How the person is asked."""

from makola.core.oauth.authorization.request import Parameters
from makola.core.oauth.errors import InvalidRequestError

_KNOWN = frozenset({"none", "login", "consent", "select_account"})


def check_prompt(parameters: Parameters) -> frozenset[str]:
    """`prompt` has words that exist, and `none` stands alone (OpenID Connect Core 3.1.2.1)."""
    prompt = frozenset((parameters.get("prompt") or "").split())
    if not prompt <= _KNOWN or ("none" in prompt and len(prompt) > 1):
        raise InvalidRequestError("The prompt must be none alone, or of login, consent and select_account.",
                                  field="prompt")
    return prompt
