"""OAuth: access tokens, and the grants that give them out."""
