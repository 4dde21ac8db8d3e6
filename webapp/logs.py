"""How all programs write their logs: lines for people, or a JSON object on each line for programs that collect logs.

Every event carries what is known where it happens: the id of the request (`request`), the video of a socket (`video`),
or the task of a worker (`task`, with the id of its row in `row`).
"""

from __future__ import annotations

import sys
from typing import Any

import structlog
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import EventDict, Processor, WrappedLogger

TEXT, JSON = "text", "json"

# What each event is given, whether structlog or the standard library logs it.
COMMON: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


def _of_request(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Add the id and the path of the request with which Django logs an event."""
    request = getattr(event.get("_record"), "request", None)
    return {**getattr(request, "log_values", {}), **event}


def formatter(form: str) -> structlog.stdlib.ProcessorFormatter:
    """Return the formatter of a handler of the standard library. `form` is "text" or "json"."""
    return structlog.stdlib.ProcessorFormatter(**_arguments(form))


def settings(form: str) -> dict[str, Any]:
    """Return the value of Django's setting LOGGING, and make structlog log through the standard library."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *COMMON,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )

    def logger(level: str) -> dict[str, Any]:
        return {"handlers": ["console"], "level": level, "propagate": False}

    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"events": {"()": structlog.stdlib.ProcessorFormatter, **_arguments(form)}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "events"}},
        "loggers": {
            "webapp": logger("INFO"),
            # Django's default would only mail server errors to ADMINS.
            "django": logger("WARNING"),
            # Refused requests are answered and not logged; server errors are logged.
            "django.request": logger("ERROR"),
            "django.security.csrf": logger("ERROR"),
            "uvicorn": logger("WARNING"),
            # The pool would log each failed attempt to connect, in addition to the error that is raised.
            "psycopg.pool": logger("ERROR"),
        },
    }


def _arguments(form: str) -> dict[str, Any]:
    # By default both renderers would write the local variables of each function in a traceback, which may be passwords.
    if form == JSON:
        tracebacks = structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False))
        last: list[Processor] = [tracebacks, structlog.processors.JSONRenderer()]
    else:
        plain = structlog.dev.plain_traceback
        last = [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]
    return {
        "foreign_pre_chain": [*COMMON, _of_request],
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
    }
