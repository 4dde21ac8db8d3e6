"""The Django app of the audit log: who did what to which thing, and when."""

from importlib import import_module

from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "webapp.audit"
    label = "audit"

    def ready(self) -> None:
        import_module("webapp.audit.sign_ins")  # The import connects the signals of Django's sign-in.
