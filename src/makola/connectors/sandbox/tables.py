"""The virtual operator's tables, for the test that compares them with the migrations."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

metadata = MetaData(schema="sandbox")

operator = Table(
    "operator", metadata,
    Column("only_row", Boolean, CheckConstraint("only_row"), primary_key=True, server_default=text("true")),
    Column("available", Boolean, nullable=False, server_default=text("true")),
    Column("delivery_delay_ms", Integer),
    Column("buffer_expiry_s", Integer),
    Column("revision", BigInteger, nullable=False, server_default=text("0")),
    Column("trimmed_to", BigInteger, nullable=False, server_default=text("0")),
)

handset = Table(
    "handset", metadata,
    Column("number", Text, primary_key=True),
    Column("network_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("refusal", SmallInteger),
    Column("receipt_status", SmallInteger),
    Column("deferral", Boolean, nullable=False, server_default=text("false")),
    Column("cleared_to", BigInteger, nullable=False, server_default=text("0")),
    Column("created_at", DateTime(timezone=True), nullable=False),
)
Index("handset_in_order", handset.c.created_at, handset.c.number)

submission = Table(
    "submission", metadata,
    Column("submission_id", BigInteger, Identity(always=True, start=10000000), primary_key=True),
    Column("message_id", Uuid, nullable=False),
    Column("sender", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("content", Text, nullable=False),
    Column("udh", Text, nullable=False),
    Column("units", SmallInteger, nullable=False),
    Column("flash", Boolean, nullable=False),
    Column("valid_until", DateTime(timezone=True), nullable=False),
    Column("accepted_at", DateTime(timezone=True), nullable=False),
    Column("state", SmallInteger, nullable=False, server_default=text("0")),
    Column("due_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True)),
    Column("outcome", SmallInteger),
    Column("outcome_at", DateTime(timezone=True)),
    Column("unreported", Boolean, nullable=False, server_default=text("false")),
    Column("lease_until", DateTime(timezone=True)),
    UniqueConstraint("message_id", name="submission_message_id_key"),
)
Index("submission_due", submission.c.due_at, submission.c.submission_id, postgresql_where=text("state < 2"))
Index("submission_buffered", submission.c.recipient, postgresql_where=text("state = 1"))
Index("submission_unreported", submission.c.lease_until, postgresql_where=text("unreported"))

message = Table(
    "message", metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("number", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("peer", Text, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("content", Text, nullable=False),
    Column("udh", Text, nullable=False),
    Column("units", SmallInteger, nullable=False),
    Column("flash", Boolean, nullable=False),
    Column("message_id", Uuid),
    Column("at", DateTime(timezone=True), nullable=False),
)
Index("message_of_number", message.c.number, message.c.id)

mobile_originated = Table(
    "mobile_originated", metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("sender", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("network_id", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("lease_until", DateTime(timezone=True), nullable=False),
)
Index("mobile_originated_due", mobile_originated.c.lease_until)

wallet = Table(
    "wallet", metadata,
    Column("number", Text, ForeignKey("sandbox.handset.number", ondelete="CASCADE"), primary_key=True),
    Column("registered", Boolean, nullable=False, server_default=text("true")),
    Column("balance_units", BigInteger, nullable=False),
    Column("pin_salt", LargeBinary),
    Column("pin_digest", LargeBinary),
    Column("limit_per_payment_units", BigInteger, nullable=False),
    Column("limit_per_day_units", BigInteger, nullable=False),
    Column("spent_on", Date),
    Column("spent_units", BigInteger, nullable=False, server_default=text("0")),
)

wallet_operation = Table(
    "wallet_operation", metadata,
    Column("operation_id", BigInteger, Identity(always=True, start=700000001), primary_key=True),
    Column("transaction_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("network_id", Text, nullable=False),
    Column("amount_units", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("payee", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("refers_to", Uuid),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True)),
    Column("settled_at", DateTime(timezone=True)),
    UniqueConstraint("transaction_id", name="wallet_operation_transaction_id_key"),
)
Index("wallet_operation_prompts", wallet_operation.c.number, wallet_operation.c.operation_id,
      postgresql_where=text("state = 'pending'"))
Index("wallet_operation_due", wallet_operation.c.expires_at, wallet_operation.c.operation_id,
      postgresql_where=text("state = 'pending'"))
Index("wallet_operation_of_number", wallet_operation.c.number, wallet_operation.c.operation_id)
Index("wallet_operation_in_order", wallet_operation.c.created_at, wallet_operation.c.operation_id)
Index("wallet_operation_refunds", wallet_operation.c.refers_to, postgresql_where=text("refers_to IS NOT NULL"))

card_payment = Table(
    "card_payment", metadata,
    Column("session_id", Uuid, primary_key=True),
    Column("transaction_id", Uuid, nullable=False),
    Column("amount_units", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("payee", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("return_url", Text, nullable=False),
    Column("brand", Text),
    Column("last_four", Text),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("settled_at", DateTime(timezone=True)),
    UniqueConstraint("transaction_id", name="card_payment_transaction_id_key"),
)
Index("card_payment_in_order", card_payment.c.created_at, card_payment.c.transaction_id)

card_refund = Table(
    "card_refund", metadata,
    Column("transaction_id", Uuid, primary_key=True),
    Column("refers_to", Uuid, nullable=False),
    Column("amount_units", BigInteger, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
)
Index("card_refund_of_payment", card_refund.c.refers_to)
Index("card_refund_in_order", card_refund.c.created_at, card_refund.c.transaction_id)

ussd_session = Table(
    "ussd_session", metadata,
    Column("number", Text, ForeignKey("sandbox.handset.number", ondelete="CASCADE"), primary_key=True),
    Column("session", Text, nullable=False),
    Column("dialled", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)

ussd_event = Table(
    "ussd_event", metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("number", Text, nullable=False),
    Column("session", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)
Index("ussd_event_age", ussd_event.c.at)
