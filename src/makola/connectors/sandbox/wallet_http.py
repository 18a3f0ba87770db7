"""The control of the virtual wallets over HTTP, under each handset's address."""

from uuid import UUID

from litestar import delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from makola.connectors.sandbox.errors import HandsetNotFoundError, InvalidInputError, PromptNotFoundError
from makola.connectors.sandbox.http_parts import SandboxRequest, read_body, read_integer
from makola.connectors.sandbox.networks import normalise_number
from makola.connectors.sandbox.wallet_schemas import (
    Approval,
    OperationView,
    TopUp,
    WalletChange,
    WalletView,
    read_units,
    view_operation,
    view_wallet,
)
from makola.connectors.sandbox.wallets import Wallets
from makola.kit.ids import parse_id

_HISTORY_AT_MOST = 200


@get("/handsets/{number:str}/wallet")
async def get_wallet(wallets: NamedDependency[Wallets], number: FromPath[str]) -> WalletView:
    """Answer with a handset's wallet."""
    return view_wallet(await wallets.get(_known(number)))


@patch("/handsets/{number:str}/wallet")
async def change_wallet(wallets: NamedDependency[Wallets], request: SandboxRequest,
                        number: FromPath[str]) -> WalletView:
    """Change a wallet: its registration, its balance, its limits, its PIN."""
    body = await read_body(request, WalletChange)
    return view_wallet(await wallets.change(
        _known(number), registered=body.registered, pin=body.pin, balance_units=read_units(body.balance, "balance"),
        limit_per_payment_units=read_units(body.limit_per_payment, "limit_per_payment"),
        limit_per_day_units=read_units(body.limit_per_day, "limit_per_day")))


@post("/handsets/{number:str}/wallet/top-ups", status_code=201)
async def top_up(wallets: NamedDependency[Wallets], request: SandboxRequest, number: FromPath[str]) -> WalletView:
    """Put money into a wallet."""
    body = await read_body(request, TopUp)
    return view_wallet(await wallets.top_up(_known(number), read_units(body.amount, "amount") or 0))


@get("/handsets/{number:str}/wallet/operations")
async def list_operations(wallets: NamedDependency[Wallets], request: SandboxRequest,
                          number: FromPath[str]) -> dict[str, list[OperationView]]:
    """Answer with what happened in a wallet, newest first."""
    limit = read_integer(request, "limit", 1, _HISTORY_AT_MOST) or 50
    return {"operations": [view_operation(each) for each in await wallets.history(_known(number), limit)]}


@get("/handsets/{number:str}/prompts")
async def list_prompts(wallets: NamedDependency[Wallets], number: FromPath[str]) -> dict[str, list[OperationView]]:
    """Answer with the payments that wait for the handset's holder, oldest first."""
    return {"prompts": [view_operation(prompt) for prompt in await wallets.prompts(_known(number))]}


@post("/handsets/{number:str}/prompts/{prompt:str}", status_code=200)
async def approve(wallets: NamedDependency[Wallets], request: SandboxRequest, number: FromPath[str],
                  prompt: FromPath[str]) -> OperationView:
    """Approve a payment with the wallet's PIN; the answer says what came of it."""
    body = await read_body(request, Approval)
    if not body.pin:
        raise InvalidInputError("enter the PIN", field="pin")
    return view_operation(await wallets.approve(_known(number), _id(prompt), body.pin))


@delete("/handsets/{number:str}/prompts/{prompt:str}", status_code=200)
async def decline(wallets: NamedDependency[Wallets], number: FromPath[str],
                  prompt: FromPath[str]) -> OperationView:
    """Decline a payment."""
    return view_operation(await wallets.decline(_known(number), _id(prompt)))


def _known(number: str) -> str:
    try:
        return normalise_number(number)
    except InvalidInputError as error:
        raise HandsetNotFoundError(error.detail, field="number") from error


def _id(text: str) -> UUID:
    found = parse_id(text)
    if found is None:
        raise PromptNotFoundError("there is no such prompt on this handset")
    return found


ROUTES: tuple[ControllerRouterHandler, ...] = (
    get_wallet, change_wallet, top_up, list_operations, list_prompts, approve, decline)
