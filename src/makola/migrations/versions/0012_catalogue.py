"""Catalogue: vendors, types, products, rate plans, price lists per tier."""

revision = "0012"
down_revision = "0011"


def upgrade() -> None: ...


def downgrade() -> None: ...
