"""The pages of the USSD gateway: the log of sessions, and which code goes to which application."""

from makola.web.ussd.router import create_ussd_router

__all__ = ["create_ussd_router"]
