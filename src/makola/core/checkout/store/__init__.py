"""The domain's SQL. Locks are always taken in this order: invoices by id, transactions by id, the ledger's rows."""
