# mypy: ignore-errors
# Django is in the benchmark's own environment, not in the one that is checked.
"""The reference: django-oauth-toolkit, its tokens in PostgreSQL. `python toolkit_reference.py` makes its tables.

Its client secrets are kept as they are: hashed as it does by default, each grant would cost a third of a second.
"""

import os
from urllib.parse import parse_qs, urlsplit

from django.conf import settings

_url = urlsplit(os.environ["REFERENCE_DATABASE_URL"])
settings.configure(
    SECRET_KEY="reference", ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], USE_TZ=True,
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "oauth2_provider"],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField", OAUTH2_PROVIDER={"SCOPES": {"messages": "Messages"}},
    DATABASES={"default": {
        "ENGINE": "django.db.backends.postgresql", "NAME": _url.path.strip("/"), "USER": _url.username or "postgres",
        "HOST": parse_qs(_url.query).get("host", [_url.hostname])[0], "CONN_MAX_AGE": None}})

import django  # noqa: E402 - Django wants its settings first

django.setup()

from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.urls import path  # noqa: E402
from oauth2_provider.views import TokenView  # noqa: E402

urlpatterns = [path("token", TokenView.as_view())]
application = get_wsgi_application()

if __name__ == "__main__":
    from oauth2_provider.models import Application

    call_command("migrate", verbosity=0)
    Application.objects.get_or_create(client_id="bench", defaults={
        "name": "bench", "client_secret": os.environ["CLIENT_SECRET"], "hash_client_secret": False,
        "client_type": Application.CLIENT_CONFIDENTIAL,
        "authorization_grant_type": Application.GRANT_CLIENT_CREDENTIALS})
