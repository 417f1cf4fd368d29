"""The pages of the console: a blueprint for each kind. Each view reads a form, calls one use case and shows a page."""
