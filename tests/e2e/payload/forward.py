# SPDX-License-Identifier: Apache-2.0
"""Run by tests/e2e/92-clients.sh for each connection, which is its stdin and stdout: passes it on to a unix socket."""

import os
import socket
import sys
import threading


def pass_on(read, write, end):
    while data := read(65536):
        write(data)
    end()


with socket.socket(socket.AF_UNIX) as server:
    server.connect(sys.argv[1])
    threading.Thread(
        target=pass_on,
        args=(lambda n: os.read(0, n), server.sendall, lambda: server.shutdown(socket.SHUT_WR)),
        daemon=True,
    ).start()
    pass_on(server.recv, lambda data: os.write(1, data), lambda: None)
