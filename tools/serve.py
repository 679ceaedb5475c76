"""Serve the built site: ``python tools/serve.py FOLDER PORT``; ``make serve`` calls it."""

import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer


def main(folder: str, port: int) -> None:
    """Serve until Ctrl-C, on this machine alone."""
    handler = partial(SimpleHTTPRequestHandler, directory=folder)
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError as error:
        sys.exit(
            f"Port {port} cannot be had ({error.strerror}); another program may be using it.\n"
            f"Name another one:  make serve PORT={port + 1}"
        )
    print(f"http://localhost:{port}  (end with Ctrl-C)", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
