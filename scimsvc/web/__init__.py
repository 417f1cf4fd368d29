"""The Flask layer that all features share: request state, errors, JSON, URLs and the request log."""
