"""How Sphinx builds the documentation (``make docs``)."""

from scimsvc import __version__

project = "scimsvc"
copyright = "the scimsvc contributors"  # noqa: A001
release = __version__

extensions = ["myst_parser"]
exclude_patterns = ["images"]
myst_heading_anchors = 3
#: Links between pages are written for a forge: relative paths to files, with the heading's anchor.
myst_enable_extensions = []

html_theme = "furo"
html_title = f"scimsvc {release}"
