"""Serves the files of the page and of Django's packages, including those of a page that is built while the process
runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import cast

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from whitenoise.middleware import WhiteNoiseMiddleware


class StaticFiles(WhiteNoiseMiddleware):
    """A WhiteNoise middleware that also finds files of a build that is made after the process has started.

    WhiteNoise alone lists the files once, when the process starts. A build has new names for its files
    (`assets/index-1a2b3c.js`) and removes those of the build before.
    """

    def add_files_from_finders(self) -> None:
        """List no files at the start, because each file is looked for when it is first asked for."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        address = request.path_info
        if address.startswith(self.static_prefix):
            found = self.files.get(address) or self.find_file(address)
            if found is not None:
                self.files[address] = found
                try:
                    return _for_asgi(self.serve(found, request), request)
                except FileNotFoundError:
                    del self.files[address]
        return self.get_response(request)


def _for_asgi(answer: HttpResponseBase, request: HttpRequest) -> HttpResponseBase:
    """Return an answer whose content Django can send under ASGI without a warning.

    WhiteNoise reads files with ordinary iterators, of which Django warns under ASGI.
    """
    if isinstance(answer, StreamingHttpResponse) and isinstance(request, ASGIRequest) and not answer.is_async:
        answer.streaming_content = _read(cast("Iterator[bytes]", answer.streaming_content))
    return answer


async def _read(parts: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the whole file as one part. It is read in a thread, so that other requests do not wait."""
    yield await asyncio.to_thread(b"".join, parts)
