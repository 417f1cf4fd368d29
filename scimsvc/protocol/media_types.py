"""The media type of answers, by the Accept header (RFC 7644 §3.8, RFC 9110 §12.5.1)."""

import re

SCIM_JSON, JSON = "application/scim+json", "application/json"

_QUALITY = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")


def answer_type(accept: str) -> str:
    """Return ``application/json`` if the header ``accept`` prefers it to ``application/scim+json``, else the latter.

    A client that accepts neither gets ``application/scim+json``, because an error would not help it.
    """
    qualities = dict(map(_read_range, accept.split(",")))
    return JSON if _quality(JSON, qualities) > _quality(SCIM_JSON, qualities) else SCIM_JSON


def _read_range(text: str) -> tuple[str, float]:
    """Return a media range, without its parameters, and its quality."""
    media_range, *parameters = (part.strip().lower() for part in text.split(";"))
    weight = next((each[2:] for each in parameters if each.startswith("q=")), "1")
    return media_range, float(weight) if _QUALITY.fullmatch(weight) else 1.0


def _quality(media_type: str, qualities: dict[str, float]) -> float:
    ranges = (media_type, "application/*", "*/*")
    return next((qualities[each] for each in ranges if each in qualities), 0.0)
