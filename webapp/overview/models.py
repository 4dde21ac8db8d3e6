"""Saved views: filters and an order of a project's list of videos, which people save under a name."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from webapp.projects.models import Project


class SavedView(models.Model):
    """The filters and the order of a list under a name, for the person who saved it or for the whole project."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="views")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=80)
    query = models.CharField(max_length=2000, blank=True)  # As in the address of the page: "assignee=me&order=due".
    shared = models.BooleanField(default=False)  # All members of the project see it.
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(fields=["project", "user", "name"], name="view_name_once_per_person")]
