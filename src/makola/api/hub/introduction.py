"""What the document says before the first endpoint."""

INTRODUCTION = """\
Organisations, catalogue and orders of a multi-tier distributor.

**Credentials**: exchange the credentials of an API client for an access token with `POST /api/v1/oauth/create_token`,
and send it as `Authorization: Bearer …`. An API client stands for a user; what it sees is decided by the user's
organisation: itself and its descendants, never siblings or ancestors. What stands elsewhere answers 404, like what does
not exist. The organisation needs a credit account.

**Lists** are bare arrays. `page` and `per_page` (at most 1000) choose a part; `X-Total-Count` and `X-Total-Pages` tell
how much there is. A repeated key in a filter means *or*, different keys mean *and*.

**Errors** are `application/problem+json` (RFC 9457): `type`, `title`, `status`, `detail`, and `errors` with the fields
that are at fault.

**Versions**: within a major version fields and endpoints are only added; ignore what you do not know.
"""

TAGS = {
    "Authentication": "An access token, and who one is.",
    "Catalogue": "What can be bought, at the caller's own price.",
    "Baskets": "What is going to be ordered.",
    "Orders": "What was ordered, and what became of it.",
    "Fulfilment": "The warehouse's side of orders, for the organisation at the top.",
    "Callbacks": "What signs the requests to one's own servers.",
    "Organisations": "One's own organisation and those below it.",
    "Users": "People, and what they may do.",
    "API clients": "What programs authenticate with.",
    "Applications": "Programs that act for their own organisation, or by OAuth for others; the directory.",
    "Emulation": "Acting as a user below, for a while and for a reason.",
    "Audit": "Who changed what.",
    "Reference": "Lists that are the same for everybody.",
}
