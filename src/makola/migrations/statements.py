"""Runs a migration's SQL one statement at a time: the driver prepares each, and prepares only one."""

from alembic import op


def execute(sql: str) -> None:
    """Run every statement of `sql`; each ends with a semicolon at the end of its line."""
    for statement in sql.split(";\n"):
        if statement.strip():
            op.execute(statement)
