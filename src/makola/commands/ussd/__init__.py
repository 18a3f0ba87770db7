"""`makola ussd …`: a test kit for authors of USSD applications. It needs no server and no database."""

from makola.commands.ussd.commands import ussd

__all__ = ["ussd"]
