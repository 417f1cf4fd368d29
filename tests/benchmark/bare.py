"""The shortest start that there can be: one route of Flask on waitress."""

import sys
from typing import Any

from flask import Flask
from waitress.server import create_server

app = Flask(__name__)


@app.get("/healthz")
def healthz() -> dict[str, str]:
    return {"status": "ok"}


if __name__ == "__main__":
    server: Any = create_server(app, host="127.0.0.1", port=0)
    print(f"serving on http://127.0.0.1:{server.effective_port}", file=sys.stderr, flush=True)
    server.run()
