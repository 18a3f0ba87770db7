"""Operators and aggregators that push USSD over HTTP, each described by a few lines of configuration."""

from makola.connectors.http_ussd.operators import HttpUssdOperator, OperatorsFileError, read_operators

__all__ = ["HttpUssdOperator", "OperatorsFileError", "read_operators"]
