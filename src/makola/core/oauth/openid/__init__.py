"""OpenID Connect: who somebody is, and that they have left."""
