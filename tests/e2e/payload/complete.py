# SPDX-License-Identifier: Apache-2.0
# complete.py SCRIPT LINE...: types each LINE and TAB into an interactive bash that has sourced SCRIPT, and prints what
# stands on the command line then. The program is found through PATH.
import os
import pty
import re
import select
import sys
import time

pid, fd = pty.fork()
if pid == 0:
    os.environ.update(PS1="", TERM="dumb", HISTFILE="/dev/null", INPUTRC="/dev/null", COLUMNS="500")
    os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])


def wait_for(pattern):
    seen, end = b"", time.monotonic() + 20
    while time.monotonic() < end:
        if select.select([fd], [], [], 1)[0]:
            seen += os.read(fd, 65536)
            found = re.search(pattern, seen, re.S)
            if found:
                return found
    sys.exit("bash did not answer: %r" % seen)


os.write(fd, b"source '%s' && echo rea''dy\r" % sys.argv[1].encode())
wait_for(rb"\nready\r")
for number, line in enumerate(sys.argv[2:]):
    # ^A: to the start of what is there now; then the line is only an argument of echo.
    os.write(fd, line.encode() + b"\t\x01echo \"<%d'' \x05>\"\r" % number)
    print("<%s>" % wait_for(rb"\n<%d'' ([^\r\n]*)>\r" % number).group(1).decode())
os.write(fd, b"exit\r")
os.waitpid(pid, 0)
