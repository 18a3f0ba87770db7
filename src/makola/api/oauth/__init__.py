"""The OAuth 2.0 and OpenID Connect endpoints that programs call; what people see is in `makola.web.consent`."""
