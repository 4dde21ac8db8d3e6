"""Settings of the tests: a data folder of their own, whatever the shell has set, and no broker to start."""

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

# A file and not memory: threads and processes of a test then meet the same locks as in use.
DATABASES["default"]["TEST"] = {"NAME": str(HOME / "tests.sqlite3")}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # quick, and only here
CELERY_BROKER_URL = "memory://"
CELERY_BROKER_TRANSPORT_OPTIONS = {}
