"""`openid-client` from npm, a certified client, with nothing changed but the issuer."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest

from makola.core.applications.types import ApplicationKind
from tests.clients.oauth_people import BYE, LISTENING, Person, make_application
from tests.serving import Serving

pytestmark = pytest.mark.skipif(
    os.environ.get("MAKOLA_TEST_SKIP_NODE") == "1", reason="MAKOLA_TEST_SKIP_NODE is set: there is no Node.js")

_DRIVER = Path(__file__).with_name("node") / "openid.mjs"
_SCOPE = "openid profile email offline_access account.balance"


def test_discovery_code_with_pkce_refresh_introspection_and_logout(server: Serving) -> None:
    made, person = make_application(server, ApplicationKind.PARTNER), Person(server)
    node = shutil.which("node") or shutil.which("nodejs")
    assert node is not None, "Node.js is missing; ./dev test installs it, or says that these tests are skipped"
    variables = {
        "ISSUER": server.url, "CLIENT_ID": made.application.client_id, "CLIENT_SECRET": made.client_secret or "",
        "REDIRECT_URI": LISTENING, "BYE": BYE, "SCOPE": _SCOPE, "PATH": os.environ["PATH"]}
    with subprocess.Popen([node, str(_DRIVER)], env=variables, text=True, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None

        def hear(step: str) -> dict[str, Any]:
            line = process.stdout.readline() if process.stdout is not None else ""
            assert line, process.stderr.read() if process.stderr is not None else ""
            said: dict[str, Any] = msgspec.json.decode(line)
            assert said["step"] == step
            return said

        def say(line: str) -> None:
            assert process.stdin is not None
            process.stdin.write(line + "\n")
            process.stdin.flush()

        assert hear("discovered") == {"step": "discovered", "issuer": server.url, "pkce": True}
        say(person.visit(hear("go")["address"]))
        tokens = hear("tokens")
        assert set(tokens["scope"].split()) >= set(_SCOPE.split())
        assert tokens["expires_in"] == 2_592_000
        assert tokens["claims"]["aud"] == made.application.client_id
        userinfo = hear("userinfo")["userinfo"]
        assert (userinfo["sub"], userinfo["email"]) == (tokens["claims"]["sub"], person.email)
        assert userinfo["organisation"]["id"] == server.world.merchant.organisation
        refreshed = hear("refreshed")
        assert (refreshed["changed"], refreshed["claims"]["sub"]) == (True, tokens["claims"]["sub"])
        assert hear("introspected")["seen"]["active"] is True
        assert hear("revoked")["seen"] == {"active": False}
        leave = hear("leave")
        assert person.is_signed_in()
        left = person.visit(leave["address"])
        assert left.startswith(f"{BYE}?state=")
        assert not person.is_signed_in()
        say(left)
        assert hear("left")["state"] is True
        assert process.wait(10) == 0
