# SPDX-License-Identifier: Apache-2.0
"""Run by tests/e2e/92-clients.sh: HTTP on the listening socket that is descriptor 3, or on the unix socket argv[2]. Says whose a
bearer token is, as long as a file of the directory argv[1] is that token: the file's name; else 401."""

import http.server
import pathlib
import socket
import sys


class Asked(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        kind, _, token = self.headers.get("Authorization", "").partition(" ")
        names = {file.read_text(encoding="utf-8"): file.name for file in pathlib.Path(sys.argv[1]).iterdir()}
        name = names.get(token) if kind == "Bearer" else None
        answer = f"hello {name}\n".encode() if name else b"who?\n"
        self.send_response(200 if name else 401)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass

    def address_string(self):
        return "a test"


def listening():
    if len(sys.argv) == 2:
        return socket.socket(fileno=3)
    outside = socket.socket(socket.AF_UNIX)
    outside.bind(sys.argv[2])
    outside.listen()
    return outside


server = http.server.ThreadingHTTPServer(("", 0), Asked, bind_and_activate=False)
server.socket.close()
server.socket = listening()
server.serve_forever()
