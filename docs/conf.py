"""Settings of Sphinx, which builds these documents as web pages (`make docs`)."""

project = "Maskwright"
author = "The Maskwright developers"
extensions = ["myst_parser"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = "Maskwright"
exclude_patterns = ["_build"]
