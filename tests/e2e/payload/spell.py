# SPDX-License-Identifier: Apache-2.0
"""Run as the tool by tests/e2e/91-nowhere.sh: writes what it was leased to both streams, in every form and in pieces."""

import base64
import json
import os
import sys
import urllib.parse


def values():
    yield open(os.environ["CREDENTIALS_DIRECTORY"] + "/binary", "rb").read()
    yield open(os.environ["CREDENTIALS_DIRECTORY"] + "/sealed", "rb").read()
    yield os.environ["TEXT"].encode()
    if os.path.exists("/tmp/token"):  # the pipe was read
        yield open("/tmp/token", "rb").read()
    else:
        yield os.read(int(os.environ["TOKEN_FD"]), 65536)


def forms(value):
    yield value
    yield value[::-1]
    for before in (b"", b"a", b"ab"):
        yield base64.b64encode(before + value)
        yield base64.urlsafe_b64encode(before + value + b"z")
        yield base64.encodebytes(before + value)
    yield value.hex().encode()
    yield value.hex().upper().encode()
    yield value.hex(":").encode()
    yield urllib.parse.quote(value, safe="").encode()
    yield "".join(f"%{b:02X}" for b in value).encode()
    text = value.decode("utf-8", "ignore")
    if text.encode() == value:
        yield json.dumps(text).encode()
        yield json.dumps(text, ensure_ascii=False).encode()
        yield urllib.parse.quote_plus(text).encode()


for whole in values():
    for form in forms(whole):
        for fd in (1, 2):
            for at in range(0, len(form), 13):
                os.write(fd, form[at:at + 13])
            os.write(fd, b"\n--\n")
sys.exit(0)
