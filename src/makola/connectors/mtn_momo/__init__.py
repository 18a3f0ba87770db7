"""MTN MoMo: customers pay through the Collection API, merchants and refunds are paid through Disbursement.

After the public documentation at momodeveloper.mtn.com: a token for each product, a request under an id of our own
(X-Reference-Id), and its status asked for until it is final. Callbacks are hints and are never believed.
"""

from makola.connectors.mtn_momo.provider import MtnMomo
from makola.connectors.mtn_momo.wire import MomoAccount, MomoProduct

__all__ = ["MomoAccount", "MomoProduct", "MtnMomo"]
