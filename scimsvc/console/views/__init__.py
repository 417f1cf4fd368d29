"""The blueprints of the pages. Each view reads a form, calls a use case and shows a page."""
