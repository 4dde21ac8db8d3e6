"""Serves the files of the page and of Django's packages, including those of a page that is built while the process
runs.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from whitenoise.middleware import WhiteNoiseMiddleware


class StaticFiles(WhiteNoiseMiddleware):
    """A WhiteNoise middleware that also finds files of a build that is made after the process has started.

    WhiteNoise alone lists the files once, when the process starts. A build has new names for its files
    (`assets/index-1a2b3c.js`) and removes those of the build before.
    """

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        address = request.path_info
        if address.startswith(self.static_prefix):
            found = self.files.get(address) or self.find_file(address)
            if found is not None:
                self.files[address] = found
                try:
                    return self.serve(found, request)
                except FileNotFoundError:
                    del self.files[address]
        return self.get_response(request)
