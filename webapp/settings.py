"""Django settings. The variables that a person can set are in webapp/configuration.py.

Embedded mode (neither REDIS_URL nor DATABASE_URL is set): SQLite, an in-memory channel layer, and a broker that is a
folder. Team mode (both are set): Postgres, Redis as broker and channel layer, any number of web processes and workers.
"""

from __future__ import annotations

import os
import sys

from webapp import installation, logs
from webapp.configuration import BadSetting, Configuration, load

BASE_DIR = installation.BASE_DIR

try:
    CONFIG: Configuration = load(os.environ, installation.default_home())
except BadSetting as problem:
    print(f"maskwright: {problem}.", file=sys.stderr)
    sys.exit(2)

# `segmentation` reads this variable, because it knows nothing of Django settings.
os.environ["MASKWRIGHT_WEIGHTS"] = str(CONFIG.weights)

HOME = CONFIG.home  # Whatever Maskwright keeps on this machine is below this folder, except weights elsewhere.
TEAM_MODE = CONFIG.team
SECRET_KEY = CONFIG.secret_key
DEBUG = CONFIG.debug
ALLOWED_HOSTS = CONFIG.allowed_hosts
CSRF_TRUSTED_ORIGINS = CONFIG.trusted_origins

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "ninja",  # serves the scripts of /api/docs; otherwise that page loads them from a foreign host
    "webapp",
    "webapp.storage",
    "webapp.tasks",
    "webapp.repetition",
    "webapp.accounts",
    "webapp.audit",
    "webapp.notifications",
    "webapp.projects",
    "webapp.webhooks",
    "webapp.quotas",
    "webapp.videos",
    "webapp.annotation",
    "webapp.jobs",
    "webapp.quality",
    "webapp.overview",
    "webapp.inference",
]

MIDDLEWARE = [
    "webapp.http.any_host.AnyHost",
    "webapp.http.request_id.RequestId",
    "webapp.http.api_version.ApiVersion",
    "webapp.http.headers.SecurityHeaders",
    "django.middleware.security.SecurityMiddleware",
    "webapp.http.static_files.StaticFiles",
    "webapp.http.entity_tags.EntityTags",
    "webapp.http.tus.TusHeaders",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "webapp.http.number_limit.NumberLimit",
    "webapp.http.busy.DatabaseBusy",
]

ROOT_URLCONF = "webapp.urls"
ASGI_APPLICATION = "webapp.asgi.application"
AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "/sign-in"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "webapp" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASES = {"default": CONFIG.database}
CHANNEL_LAYERS = {"default": CONFIG.channel_layer}
CACHES = {"default": CONFIG.cache, "process": CONFIG.process_cache}  # limits.py counts wrong passwords in both

AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
if CONFIG["MASKWRIGHT_LDAP_URL"]:
    AUTHENTICATION_BACKENDS.append("webapp.accounts.directory.Directory")

AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("username", "name", "email")},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

STATIC_URL = "/static/"
FRONTEND_DIST = installation.PAGE
STATICFILES_DIRS = [FRONTEND_DIST]
WHITENOISE_USE_FINDERS = True  # serves files from the build and the packages, without collectstatic
# The names of files below assets/ contain a hash of their content, so these files never change.
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/static/assets/.+"

SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = CONFIG.https
SESSION_COOKIE_AGE = 14 * 24 * 3600
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if CONFIG.https else 0
SILENCED_SYSTEM_CHECKS = [
    "staticfiles.W004",  # The page may be built after the start.
    "security.W005",  # Other sites below this name are not ours, so HSTS does not include them,
    "security.W021",  # nor do we ask browsers to preload it.
    "security.W008",  # The proxy redirects plain http. If Django did, requests through an untrusted proxy would loop.
]
X_FRAME_OPTIONS = "DENY"
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

# The largest body that is read into memory. Chunks of uploads are streamed to disk instead.
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 1024 * 1024

globals().update(CONFIG["EMAIL_URL"])  # The settings EMAIL_* of Django, DEFAULT_FROM_EMAIL and SITE_URL.
SITE_URL: str = CONFIG["EMAIL_URL"]["SITE_URL"]  # The origin that links in mails begin with; empty: no mail.

LOGGING = logs.settings(CONFIG["MASKWRIGHT_LOG"])

CELERY_BROKER_URL = CONFIG.broker_url
CELERY_BROKER_TRANSPORT_OPTIONS = CONFIG.broker_options
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # A worker waits for its broker for as long as it takes.
CELERY_TASK_DEFAULT_QUEUE = "rounds"
# Imports and exports have a worker of their own, so that a long one does not delay a round.
CELERY_TASK_ROUTES = {
    f"{app}.*": {"queue": "media"}
    for app in ("videos", "annotation", "overview", "notifications", "projects", "webhooks")
}
