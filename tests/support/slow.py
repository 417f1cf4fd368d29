"""A service with additional endpoints of the enterprise API that are slow or have long answers, as a program."""

import sys
import time
from collections.abc import Iterator

from flask import Response, request

from scimsvc import create_app
from scimsvc.operations.serving.server import Server

BLOCK = b"x" * 65536


def main() -> None:
    """Serve until SIGTERM. Settings are in the environment, and the argument is the longest wait for a thread."""
    app = create_app()

    @app.get("/api/v1/slow")
    def slow() -> str:
        time.sleep(float(request.args["seconds"]))
        return "slow"

    @app.get("/api/v1/long")
    def long() -> Response:
        number = int(request.args["mib"]) * 16

        def blocks() -> Iterator[bytes]:
            for _ in range(number):
                yield BLOCK

        return Response(blocks() if "stream" in request.args else b"".join(blocks()))

    Server(app, port=0, queue_seconds=float(sys.argv[1])).run()


if __name__ == "__main__":
    main()
