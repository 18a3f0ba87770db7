"""Why payments failed, in words of our own: the documents' numbers belong to the API family that has them."""

from makola.migrations.statements import execute

revision = "0022"
down_revision = "0021"

#: The documents' code, what it is called from now on, and the documents' sentence, which was kept beside it.
_FAILURES = """(VALUES
    ('2001', 'other', 'The transaction has failed.'),
    ('2050', 'mtn_insufficient_funds',
     'The MTN Mobile Money user has insufficient funds in wallet to make this payment.'),
    ('2051', 'mtn_not_registered', 'The mobile number provided is not registered on MTN Mobile Money.'),
    ('2100', 'phone_off', 'The request failed as the customer''s phone is switched off.'),
    ('2101', 'airtel_wrong_pin',
     'The transaction failed as the PIN entered by the Airtel Money customer is invalid.'),
    ('2102', 'airtel_insufficient_funds',
     'The Airtel Money user has insufficient funds in wallet to make this payment.'),
    ('2103', 'airtel_not_registered', 'The mobile number specified is not registered on Airtel Money.'),
    ('2152', 'tigo_not_registered', 'The mobile number specified is not registered on Tigo cash.'),
    ('2153', 'tigo_above_limit', 'The amount specified is more than the maximum allowed by Tigo Cash.'),
    ('2154', 'tigo_above_daily_limit',
     'The amount specified is more than the maximum daily limit allowed by Tigo Cash.'),
    ('2200', 'vodafone_recipient_not_registered', 'The recipient specified is not registered on Vodafone Cash.'),
    ('2201', 'vodafone_not_registered', 'The customer specified is not registered on Vodafone Cash.'))
    AS known (number, name, sentence)"""


def upgrade() -> None:
    execute(
        f"""
        UPDATE checkout.invoice SET failure_code = known.name FROM {_FAILURES}
        WHERE failure_code = known.number;

        -- A provider's own words stay; the documents' sentence goes: its family writes it.
        UPDATE checkout.transaction SET failure_code = known.name,
            failure_detail = CASE WHEN failure_detail = known.sentence THEN '' ELSE failure_detail END
        FROM {_FAILURES}
        WHERE failure_code = known.number;
        """  # noqa: S608 - made of this module's own list
    )


def downgrade() -> None:
    execute(
        f"""
        UPDATE checkout.invoice SET failure_code = known.number FROM {_FAILURES}
        WHERE failure_code = known.name;

        UPDATE checkout.transaction SET failure_code = known.number,
            failure_detail = CASE WHEN failure_detail = '' THEN known.sentence ELSE failure_detail END
        FROM {_FAILURES}
        WHERE failure_code = known.name;
        """  # noqa: S608 - made of this module's own list
    )
