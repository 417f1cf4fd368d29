"""Advice that depends on the client: in Entra's words for Entra's administrators, and in neutral words for others.

The client is known only where an error is answered, so an error carries both texts. ``entra`` is also the text for a
client of which nothing is known, because this service is made for Entra, which sends no ``User-Agent``.
"""

from typing import NamedTuple


class Advice(NamedTuple):
    """The last sentences of an error's detail, for Entra and for other identity providers."""

    entra: str
    others: str

    @classmethod
    def same(cls, text: str) -> "Advice":
        """Return advice in the same words for every client."""
        return cls(text, text)

    def after(self, problem: str, *, for_entra: bool) -> str:
        """Return ``problem`` followed by the advice."""
        return f"{problem} {self.entra if for_entra else self.others}"
