"""Serves the files of the page and of Django's packages, also those of a build that is made while the process runs."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from whitenoise.middleware import WhiteNoiseMiddleware


class StaticFiles(WhiteNoiseMiddleware):
    """WhiteNoise lists the files once, when the process starts. This middleware also follows later builds.

    A build has new names for its files (`assets/index-1a2b3c.js`) and removes those of the build before.
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
