"""The domain: knows no web framework, no HTTP status and no operator's protocol."""
