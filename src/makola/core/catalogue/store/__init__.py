"""The catalogue's SQL; nothing outside this domain imports it."""
