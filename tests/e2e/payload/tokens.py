# SPDX-License-Identifier: Apache-2.0
"""Run by tests/e2e/92-clients.sh: HTTP on the listening socket that is descriptor 3. Says whose a bearer token is, as long as a
line "TOKEN NAME" of the file argv[1] has it; else 401."""

import http.server
import socket
import sys


class Asked(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        kind, _, token = self.headers.get("Authorization", "").partition(" ")
        with open(sys.argv[1], encoding="utf-8") as f:
            names = dict(line.split() for line in f)
        name = names.get(token) if kind == "Bearer" else None
        answer = f"hello {name}\n".encode() if name else b"who?\n"
        self.send_response(200 if name else 401)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("", 0), Asked, bind_and_activate=False)
server.socket.close()
server.socket = socket.socket(fileno=3)
server.serve_forever()
