"""A virtual telecom operator: it takes messages, delivers them to virtual handsets, and reports.

What a handset does is data (`sandbox.handset`), never a magic number in the code. Composition gives the
connector to messaging, starts `Delivery` in the background, and mounts `create_sandbox_router`.
"""

from makola.connectors.sandbox.connector import SandboxConnector
from makola.connectors.sandbox.delivery import Delivery
from makola.connectors.sandbox.handsets import Handsets
from makola.connectors.sandbox.store import DUE_CHANNEL, NEWS_CHANNEL
from makola.connectors.sandbox.types import HandsetState, OperatorDefaults, Unlisted
from makola.connectors.sandbox.wallet_provider import SandboxMobileMoney
from makola.connectors.sandbox.wallet_types import WalletDefaults
from makola.connectors.sandbox.wallets import Wallets

#: What the process's `WakeUps` must listen on.
CHANNELS = (DUE_CHANNEL, NEWS_CHANNEL)

__all__ = ["CHANNELS", "Delivery", "HandsetState", "Handsets", "OperatorDefaults", "SandboxConnector",
           "SandboxMobileMoney", "Unlisted", "WalletDefaults", "Wallets"]
