"""The shortest possible start: one Flask route on waitress, and the imports named as arguments."""

import importlib
import sys
from typing import Any

from flask import Flask
from waitress.server import create_server

app = Flask(__name__)


@app.get("/healthz")
def healthz() -> dict[str, str]:
    return {"status": "ok"}


if __name__ == "__main__":
    for module in sys.argv[1:]:
        importlib.import_module(module)
    server: Any = create_server(app, host="127.0.0.1", port=0)
    print(f"serving on http://127.0.0.1:{server.effective_port}", file=sys.stderr, flush=True)
    server.run()
