"""The pages that people look at: the landing page, the handset, the API's documentation."""

from makola.web.api_document import ApiDocument
from makola.web.router import create_web_router

__all__ = ["ApiDocument", "create_web_router"]
