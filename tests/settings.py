"""Django settings for tests: a temporary data folder, no settings from the shell's environment, a broker in memory."""

import atexit
import os
import shutil
import tempfile

from webapp.configuration import VARIABLES

for _variable in VARIABLES:
    os.environ.pop(_variable.name, None)
os.environ["MASKWRIGHT_HOME"] = tempfile.mkdtemp(prefix="maskwright-tests-")
atexit.register(shutil.rmtree, os.environ["MASKWRIGHT_HOME"], ignore_errors=True)

from webapp.settings import *  # noqa: E402, F403
from webapp.settings import DATABASES, HOME  # noqa: E402

# The test database is a file, because an in-memory SQLite has no locks between threads and processes.
DATABASES["default"]["TEST"] = {"NAME": str(HOME / "tests.sqlite3")}
# The test database need not survive a power cut, so SQLite does not wait until data is on the disk.
DATABASES["default"]["OPTIONS"]["init_command"] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # Fast, and used in tests only.
CELERY_BROKER_URL = "memory://"
CELERY_BROKER_TRANSPORT_OPTIONS = {}
