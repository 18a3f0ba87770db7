"""Authlib's and requests-oauthlib's clients, unchanged, in every flow against the whole server."""

import json
import secrets
from collections.abc import Callable

import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc.jwk import RSAKey
from oauthlib.oauth2 import InvalidGrantError, MobileApplicationClient
from requests_oauthlib import OAuth2Session

from makola.core.applications.types import ApplicationKind, TokenEndpointAuthMethod
from tests.clients.oauth_people import LISTENING, Person, make_application, query_of
from tests.serving import Serving

SCOPE = "openid profile account.balance offline_access"


@pytest.fixture(autouse=True)
def _plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setenv("OAUTHLIB_RELAX_TOKEN_SCOPE", "1")  # implied scopes are added, as the document says
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")


@pytest.fixture(scope="module")
def person(server: Serving) -> Person:
    return Person(server)


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_authlib_code_with_pkce_refresh_introspection_and_revocation(server: Serving, person: Person,
                                                                     method: str) -> None:
    made = make_application(server)
    client = AuthlibSession(
        made.application.client_id, made.client_secret, scope=SCOPE, redirect_uri=LISTENING,
        token_endpoint_auth_method=method, code_challenge_method="S256",
        revocation_endpoint_auth_method=method)
    verifier = secrets.token_urlsafe(48)
    address, state = client.create_authorization_url(f"{server.url}/oauth", code_verifier=verifier)
    back = person.visit(address)
    assert back.startswith(LISTENING)
    assert query_of(back)["iss"] == server.url
    token = client.fetch_token(f"{server.url}/oauth/token", authorization_response=back, code_verifier=verifier,
                               state=state)
    assert token["token_type"] == "Bearer"
    balance = client.get(f"{server.url}/v1/account/balance", timeout=30)
    assert balance.status_code in {200, 404}
    assert client.get(f"{server.url}/oauth/userinfo").json()["name"]
    assert client.post(f"{server.url}/v1/messages", json={"From": "x", "To": "y", "Content": "z"}).status_code in {
        401, 403}
    renewed = client.refresh_token(f"{server.url}/oauth/token", refresh_token=token["refresh_token"])
    assert renewed["refresh_token"] != token["refresh_token"]
    seen = client.introspect_token(f"{server.url}/oauth/introspect", token=renewed["access_token"]).json()
    assert (seen["active"], seen["client_id"]) == (True, made.application.client_id)
    revoke: Callable[..., requests.Response] = client.revoke_token
    assert revoke(f"{server.url}/oauth/revoke", token=renewed["refresh_token"]).status_code == 200
    assert client.get(f"{server.url}/oauth/userinfo").status_code == 401


def test_authlib_client_credentials(server: Serving) -> None:
    merchant = server.world.merchant
    client = AuthlibSession(merchant.client_id, merchant.client_secret)
    token = client.fetch_token(f"{server.url}/oauth/token", grant_type="client_credentials")
    assert token["expires_in"] == 3600
    assert client.get(f"{server.url}/v1/account/settings").status_code == 200


def test_authlib_implicit(server: Serving, person: Person) -> None:
    made = make_application(server, ApplicationKind.PUBLIC, implicit_enabled=True)
    client = AuthlibSession(made.application.client_id, scope="openid profile", redirect_uri=LISTENING)
    address, state = client.create_authorization_url(f"{server.url}/oauth", response_type="token")
    token = client.fetch_token(authorization_response=person.visit(address), state=state)
    assert client.get(f"{server.url}/oauth/userinfo").json()["sub"]
    assert "refresh_token" not in token


def test_authlib_private_key_jwt(server: Serving, person: Person) -> None:
    key = RSAKey.generate_key(2048)
    made = make_application(server, token_endpoint_auth_method=TokenEndpointAuthMethod.PRIVATE_KEY_JWT,
                            jwks=json.dumps({"keys": [key.as_dict(private=False)]}))
    client = AuthlibSession(
        made.application.client_id, key.as_pem(private=True), scope="openid", redirect_uri=LISTENING,
        token_endpoint_auth_method="private_key_jwt")
    client.register_client_auth_method(PrivateKeyJWT(f"{server.url}/oauth/token"))
    address, state = client.create_authorization_url(f"{server.url}/oauth")
    token = client.fetch_token(f"{server.url}/oauth/token", authorization_response=person.visit(address), state=state)
    assert token["id_token"].count(".") == 2


def test_requests_oauthlib_code_with_pkce_and_refresh(server: Serving, person: Person) -> None:
    made = make_application(server)
    client = OAuth2Session(made.application.client_id, redirect_uri=LISTENING, scope=SCOPE.split(), pkce="S256")
    address, _ = client.authorization_url(f"{server.url}/oauth")
    token = client.fetch_token(f"{server.url}/oauth/token", authorization_response=person.visit(address),
                               client_secret=made.client_secret)
    assert client.get(f"{server.url}/oauth/userinfo", timeout=30).json()["organisation"]["id"] == (
        server.world.merchant.organisation)
    renewed = client.refresh_token(f"{server.url}/oauth/token", client_id=made.application.client_id,
                                   client_secret=made.client_secret)
    assert renewed["access_token"] != token["access_token"]
    assert client.get(f"{server.url}/oauth/userinfo", timeout=30).status_code == 200


def test_requests_oauthlib_a_program_without_a_secret(server: Serving, person: Person) -> None:
    made = make_application(server, ApplicationKind.PUBLIC, token_endpoint_auth_method=TokenEndpointAuthMethod.NONE)
    client = OAuth2Session(made.application.client_id, redirect_uri=LISTENING, scope=["openid"], pkce="S256")
    address, _ = client.authorization_url(f"{server.url}/oauth")
    back = person.visit(address)
    token = client.fetch_token(f"{server.url}/oauth/token", authorization_response=back, include_client_id=True)
    assert token["expires_in"] == 10_800
    with pytest.raises(InvalidGrantError):
        client.fetch_token(f"{server.url}/oauth/token", authorization_response=back, include_client_id=True)


def test_requests_oauthlib_implicit(server: Serving, person: Person) -> None:
    made = make_application(server, ApplicationKind.PUBLIC, implicit_enabled=True)
    client = OAuth2Session(client=MobileApplicationClient(made.application.client_id), redirect_uri=LISTENING,
                           scope=["openid"])
    address, _ = client.authorization_url(f"{server.url}/oauth")
    assert client.token_from_fragment(person.visit(address))["access_token"].startswith("mk_at_")


def test_a_client_of_the_document_reads_a_form(server: Serving, person: Person) -> None:
    """As the document's own steps go: no PKCE, no Accept, the answer is a form."""
    made = make_application(server)
    back = person.visit(f"{server.url}/oauth?client_id={made.application.client_id}&redirect_uri={LISTENING}"
                        "&scope=account.balance&response_type=code&state=kept")
    assert query_of(back)["state"] == "kept"
    answer = requests.post(f"{server.url}/oauth/token", timeout=30, data={
        "client_id": made.application.client_id, "client_secret": made.client_secret, "redirect_uri": LISTENING,
        "grant_type": "authorization_code", "code": query_of(back)["code"]})
    assert answer.headers["content-type"].startswith("application/x-www-form-urlencoded")
    assert query_of(f"x:?{answer.text}")["expires_in"] == "2592000"
