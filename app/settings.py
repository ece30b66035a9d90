"""Every setting of Vedetta, read from the environment or a `.env` file. docs/settings.md explains each."""

import logging
import sys
from base64 import urlsafe_b64encode
from importlib.util import find_spec
from os import urandom
from pathlib import Path

from django.utils.translation import gettext_lazy as _

from app import env

BASE_DIR = Path(__file__).resolve().parent.parent
env.read_file(BASE_DIR / ".env")

VERSION = "0.1.0"
DEMO = env.flag("DEMO", default=False)
LAN = env.flag("LAN", default=False)
EVERYBODY = "0.0.0.0" if LAN else "127.0.0.1"  # noqa: S104 - asked for with --lan
DATA_DIR = env.folder("DATA_DIR", BASE_DIR / ("var-demo" if DEMO else "var"))
RUN_DIR = DATA_DIR / "run"
PLACES_FILE = RUN_DIR / "places.json"
"""The sessions that belong to the embedded broker."""
LOG_FILE = DATA_DIR / "logs" / "vedetta.log"

# Security
DEBUG = env.flag("DEBUG", default=False)
HTTPS = env.flag("HTTPS", default=False)
SECRET_KEY = env.kept_secret("SECRET_KEY", DATA_DIR / "secret_key")
CREDENTIALS_KEYS = env.kept_secret(
    "CREDENTIALS_KEY", DATA_DIR / "credentials_key", lambda: urlsafe_b64encode(urandom(32)).decode()
).split(",")
HTTP_HOST = env.text("HTTP_HOST", EVERYBODY)
HTTP_PORT = env.integer("HTTP_PORT", 8000, 1, 65535)
LISTENS_TO_ALL = HTTP_HOST in {"0.0.0.0", "::"}  # noqa: S104 - compared, not bound
OWN_HOST = f"[{HTTP_HOST}]" if ":" in HTTP_HOST else HTTP_HOST
ALLOWED_HOSTS = env.hosts(
    "ALLOWED_HOSTS", env.own_names() if LISTENS_TO_ALL else ["localhost", "127.0.0.1", "[::1]", OWN_HOST]
)
CSRF_TRUSTED_ORIGINS = env.origins("CSRF_TRUSTED_ORIGINS")
TRUSTED_PROXIES = env.addresses("TRUSTED_PROXIES")
SECURE_SSL_REDIRECT = False  # the proxy in front redirects; health checks inside stay plain
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS
SESSION_COOKIE_AGE = 60 * 60 * 24 * 30
LANGUAGE_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
# W008: the proxy redirects. W005, W021: whether a whole domain is HTTPS for ever is its owner's word to give.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W008", "security.W021"]
SECURE_REFERRER_POLICY = SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"

# One machine's servers
EMBEDDED_BROKER = env.flag("EMBEDDED_BROKER", default=True)
EMBEDDED_BROKER_HOST = env.text("EMBEDDED_BROKER_HOST", EVERYBODY)
EMBEDDED_BROKER_PORT = env.integer("EMBEDDED_BROKER_PORT", 1883, 1, 65535)
EMBEDDED_BROKER_USERNAME = env.text("EMBEDDED_BROKER_USERNAME", "device")
EMBEDDED_BROKER_PASSWORD = env.kept_secret("EMBEDDED_BROKER_PASSWORD", DATA_DIR / "broker_password")
REDIS_URL = env.url("REDIS_URL", ("redis", "rediss", "unix"))
EMBEDDED_VALKEY = not REDIS_URL
VALKEY_SOCKET = env.socket_path(DATA_DIR)
CHANNEL_URL = REDIS_URL or f"unix://{VALKEY_SOCKET}"
ADMIN_USERNAME = env.text("ADMIN_USERNAME", "admin")
ADMIN_PASSWORD = env.text("ADMIN_PASSWORD")

# Backups
BACKUP_FOLDER = env.path("BACKUP_FOLDER")
BACKUP_HOUR = env.integer("BACKUP_HOUR", 3, 0, 23)
BACKUP_KEEP = env.integer("BACKUP_KEEP", 7, 1, 10_000)
BACKUP_PASSPHRASE = env.text("BACKUP_PASSPHRASE")
BACKUP_BEFORE_UPDATE = env.flag("BACKUP_BEFORE_UPDATE", default=True)

# A disk that fills
DISK_PRUNE = env.flag("DISK_PRUNE", default=True)
DISK_KEEP_DAYS = env.integer("DISK_KEEP_DAYS", 7, 1, 36_500)

# Live pages
LIVE_INTERVAL = env.number("LIVE_INTERVAL", 1.0, 0.25, 60.0)
CHANNEL_LAYER = env.choice("CHANNEL_LAYER", "pubsub", ("pubsub", "queue"))
CHANNEL_LAYERS = {"default": env.channel_layer(CHANNEL_LAYER, CHANNEL_URL)}

HAS_PAGES = sys.argv[1:2] != ["run_mqtt"]
"""The mqtt process shows nothing: without what only pages need it takes a quarter less memory."""
INSTALLED_APPS = [
    # Takes over runserver, for developers; to every other command it would bring the whole of Twisted.
    *(["daphne"] if "runserver" in sys.argv[1:2] else []),
    *(["django.contrib.admin"] if HAS_PAGES else []),
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "channels",
    *(
        [
            "django_htmx",
            "django_tables2",
            "django_filters",
            "rest_framework",
            "drf_spectacular",
            "drf_spectacular_sidecar",
        ]
        if HAS_PAGES
        else []
    ),
    "mqtt",
]

MIDDLEWARE = [
    "app.middleware.RequestTimeMiddleware",
    "app.middleware.TrustedProxyMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "app.middleware.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "app.outage.DatabaseOutageMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "app.middleware.VaryOnHtmxMiddleware",
    "app.middleware.NoSuchMethodMiddleware",
    "app.middleware.VisibleSignsMiddleware",
]

AUTHENTICATION_BACKENDS = ["mqtt.backends.OneQueryRights", "django.contrib.auth.backends.ModelBackend"]
ROOT_URLCONF = "app.urls"
ASGI_APPLICATION = "app.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
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

DATABASES = {"default": env.database("DATABASE_URL", DATA_DIR, pooled=HAS_PAGES)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CSRF_FAILURE_VIEW = "mqtt.views.errors.csrf_failure"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "overview"
LOGOUT_REDIRECT_URL = "login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

USE_I18N = USE_TZ = True
TIME_ZONE = env.time_zone()
LANGUAGES = [("en", _("English")), ("it", _("Italian"))]
LANGUAGE_CODE = env.choice("LANGUAGE_CODE", "en", ("en", "it"))
LOCALE_PATHS = [BASE_DIR / "locale"]

STATIC_URL = "/static/"
_uplot = find_spec("uplot")
# The wheel is found and not imported: its Python side would load NumPy and IPython.
UPLOT = [("uplot", str(Path(_uplot.origin).parent / "static"))] if _uplot and _uplot.origin else []
STATICFILES_DIRS = [BASE_DIR / "static", *UPLOT]
STATIC_ROOT = DATA_DIR / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

API_RATE = env.integer("API_RATE", 1200, 10, 1_000_000)
REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_RENDERER_CLASSES": ["mqtt.api.wire.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "mqtt.api.wire.Negotiation",
    "DEFAULT_PARSER_CLASSES": ["mqtt.api.wire.JSONParser"],
    # Tokens first: their header makes a missing login a 401.
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "mqtt.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["mqtt.api.access.Rights"],
    "DEFAULT_PAGINATION_CLASS": "mqtt.api.pagination.Pages",
    "DEFAULT_THROTTLE_CLASSES": ["mqtt.api.throttling.CallThrottle"],
    "EXCEPTION_HANDLER": "mqtt.api.errors.answer_error",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Vedetta",
    "DESCRIPTION": "Connections, devices and readings. Log in, or send `Authorization: Token …`.",
    "VERSION": VERSION,
    "SERVE_PERMISSIONS": ["mqtt.api.access.Rights"],
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "mqtt.api.schema.document_errors",
    ],
    "SWAGGER_UI_DIST": "SIDECAR",  # the page works without internet
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {
        "ConnectionStatus": "mqtt.enums.ConnectionStatus",
        "Availability": "mqtt.enums.Availability",
        "Transport": "mqtt.enums.Transport",
        "Protocol": "mqtt.enums.Protocol",
        "QoS": "mqtt.enums.QoS",
        "CommandState": "mqtt.enums.CommandState",
        "TaskState": "mqtt.enums.TaskState",
        "StepState": "mqtt.enums.StepState",
        "HealthStatus": ["up", "down"],
    },
}

LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR"))
WHITENOISE_ALLOW_ALL_ORIGINS = False  # nothing of ours is for pages of others

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "filters": {
        "sentence": {"()": "app.logs.WithoutTraceback"},
        "errors": {"()": "app.logs.WithoutTraceback", "below": logging.ERROR},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "daphne": {"level": "WARNING"},
        "django.security.DisallowedHost": {"filters": ["sentence"]},
        "django.request": {"filters": ["errors"]},
        "django.channels.server": {"level": "WARNING"},
        # Several lines a second while the database or Valkey is away; our own processes say it once, in words.
        "psycopg.pool": {"level": "ERROR"},
        "channels_redis.pubsub": {"level": "CRITICAL"},
    },
}
