"""The Django app of projects, labels, members and their roles."""

from django.apps import AppConfig


class ProjectsConfig(AppConfig):
    name = "webapp.projects"
    label = "projects"
