"""The Unity API: `/v1` and `/v3`, Pascal case, message-style errors."""
