"""Django settings for the tests that tests/webapp/test_postgres.py runs on Postgres (MASKWRIGHT_TEST_DATABASE_URL)."""

import os
from urllib.parse import unquote, urlsplit

from tests.settings import *  # noqa: F403

_url = urlsplit(os.environ["MASKWRIGHT_TEST_DATABASE_URL"])
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _url.path.lstrip("/"),
        "USER": unquote(_url.username or ""),
        "PASSWORD": unquote(_url.password or ""),
        "HOST": _url.hostname,
        "PORT": _url.port,
        # Other tests of team mode run at the same time, so this test database has a name of its own.
        "TEST": {"NAME": f"{_url.path.lstrip('/')}_lease_{os.getpid()}"},
    }
}
