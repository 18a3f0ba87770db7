"""Schemathesis against the USSD calls of a running server."""

from typing import Any, TypeAlias

import requests
import schemathesis
from schemathesis import APIOperation, Case
from schemathesis.config import CacheConfig

from tests.openapi.test_unity import _CHECKS
from tests.openapi.unity_document import DOCUMENT
from tests.serving import Serving

AnyCase: TypeAlias = Case[APIOperation[Any, Any, Any, Any]]

ussd = schemathesis.openapi.from_dict(DOCUMENT, config=schemathesis.Config(cache=CacheConfig(enabled=False)))
ussd.config.generation.update(max_examples=10, deterministic=True, no_shrink=True, database="none")


@ussd.include(path_regex="/ussd").parametrize()
def test_ussd(case: AnyCase, server: Serving) -> None:
    # An account whose codes nobody else of this run dials.
    client = server.world.penniless
    if case.meta is not None and case.meta.generation.mode.is_positive and "service_id" in case.path_parameters \
            and case.method != "DELETE":
        listed = requests.get(f"{server.url}/v1/ussd/services", auth=client.pair, timeout=30).json()
        case.path_parameters["service_id"] = str(listed["ServiceList"][0]["Id"])
    case.call_and_validate(base_url=server.url, checks=_CHECKS, auth=client.pair)
