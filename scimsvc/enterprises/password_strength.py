"""Estimate how hard a password is to guess: common passwords, words, keyboard patterns, repetitions, and context words.

zxcvbn counts the guesses of an attacker who tries probable passwords first (Wheeler, USENIX Security 2016). Its lists
contain 94,000 common passwords, words and names.
"""

import re
from collections.abc import Iterable

from scimsvc.errors import InvalidInput
from scimsvc.protocol.attributes import fold

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 1000
#: A password that fewer guesses find is refused. Twelve random letters need more, and so do three random words.
FEWEST_GUESSES = 10**10
#: The estimate reads only the start of a password, because its time grows faster than the length: at most 0.3 s.
_ESTIMATED_CHARACTERS = 40
#: Words that attackers of this service try first.
_PRODUCT_WORDS = (
    "scimsvc",
    "scim",
    "entra",
    "azure",
    "microsoft",
    "provisioning",
    "operator",
    "administrator",
    "auditor",
)
_SHORTEST_WORD = 3


def refuse_weak_password(password: str, repeated: str, context: Iterable[str]) -> None:
    """Raise ``InvalidInput`` if the password is too short, too long, easy to guess, or not equal to ``repeated``.

    ``context`` are the texts that an attacker knows about the account, such as its e-mail address.
    """
    wrong: dict[str, list[str]] = {}
    if len(password) < SHORTEST_PASSWORD:
        wrong["password"] = [f"Use at least {SHORTEST_PASSWORD} characters"]
    elif len(password) > LONGEST_PASSWORD:
        wrong["password"] = [f"Use at most {LONGEST_PASSWORD} characters"]
    elif weakness := find_weakness(password, context):
        wrong["password"] = [weakness]
    elif password != repeated:
        wrong["repeated"] = ["The passwords do not match"]
    if wrong:
        [(message,)] = wrong.values()
        raise InvalidInput(f"{message.removesuffix('.')}.", wrong)


def find_weakness(password: str, context: Iterable[str]) -> str | None:
    """Return why the password is easy to guess and what to change, or None if it is not."""
    from zxcvbn import zxcvbn  # its lists take 15 MiB, which a process needs only after a password was set

    known = context_words(context)
    estimate = zxcvbn(fold(password)[:_ESTIMATED_CHARACTERS], user_inputs=[*known, *_PRODUCT_WORDS])
    if estimate["guesses"] >= FEWEST_GUESSES:
        return None
    return _describe(estimate["sequence"], known)


def context_words(texts: Iterable[str]) -> list[str]:
    """Return the texts, and their words of at least three characters."""
    return [
        word for text in map(fold, texts) for word in (text, *re.split(r"[\W_]+", text)) if len(word) >= _SHORTEST_WORD
    ]


def _describe(sequence: list[dict[str, object]], known: list[str]) -> str:
    patterns = {match["pattern"] for match in sequence}
    words = [match for match in sequence if match["pattern"] == "dictionary"]
    if any(fold(str(match["matched_word"])) in known for match in words):
        reason = "It contains your e-mail address or the name of the enterprise"
    elif words:
        reason = "It contains common words or passwords"
    elif "repeat" in patterns:
        reason = "It repeats the same characters"
    elif patterns & {"sequence", "spatial"}:
        reason = "It follows the alphabet, the numbers or the keyboard"
    else:
        reason = "It is too simple"
    return (
        f"This password is easy to guess. {reason}. Use four or more random words, or let a password manager create it."
    )
