"""Delete the counts of wrong attempts, so that tests may send many of them."""

from flask import Flask
from sqlalchemy import text

from scimsvc.extensions import db


def forget_attempts(app: Flask) -> None:
    """Delete all counts of the app's database."""
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text("DELETE FROM attempts"))
