"""Log lines: structlog's and those of the libraries in one form, on standard error."""

import asyncio
import logging
import sys
from collections.abc import Sequence

import structlog
from structlog.typing import Processor

from makola.settings import Settings

#: At "info" these speak of themselves, not of what happens here.
_QUIET = ("uvicorn.error", "alembic", "aiohttp.access", "asyncio")


class _WithoutNoise(logging.Filter):
    """Drops what uvicorn says of handlers cancelled because the server ends, and of every scanner's nonsense."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.msg == "Invalid HTTP request received.":
            return False
        kind = record.exc_info[0] if record.exc_info else None
        return kind is None or not issubclass(kind, asyncio.CancelledError)


def configure(settings: Settings) -> None:
    """Set up logging for this process, as `log_format` and `log_level` say."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    before: Sequence[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *before,
                    structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=before,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_renderers(settings.log_format)]))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    logging.getLogger("uvicorn.error").addFilter(_WithoutNoise())


def _renderers(log_format: str) -> Sequence[Processor]:
    if log_format == "json":
        return [structlog.processors.dict_tracebacks, structlog.processors.JSONRenderer()]
    return [structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)]
