"""The ledger: accounts, holds and transfers, in integers; knows no other domain.

Amounts are in 1/10,000 of the currency's unit. A transfer moves one amount between two accounts, so the sum over
all accounts of a currency is always zero. A hold reserves amounts until the outcome is known, and is then
posted (it becomes transfers) or voided. Corrections are transfers in the other direction.
"""
