#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Run by tests as root: what of a command's processes their owner, outside, could take over.

takeover.py UID COMMAND [ARG...] runs COMMAND on a new terminal and looks, as fast as it can, at all processes below it.
One that is open to UID (its files in /proc belong to UID: it is dumpable) could be traced by that user. Of each kind of
them one line is printed: NAME, its terminal and working directory, or "none" and "other" where they are not those
that COMMAND was started with; and a line "NAME environment" where the variable TAKEOVER of that is in it. A terminal that it
has open is one, too. Exits as COMMAND did.
"""
import os
import pty
import sys


def read(pid, name):
    with open("/proc/%d/%s" % (pid, name), "rb") as file:
        return file.read()


def below(pid):
    for child in read(pid, "task/%d/children" % pid).split():
        yield int(child)
        try:
            yield from below(int(child))
        except OSError:
            pass


def look(pid, uid, here, seen):
    if os.stat("/proc/%d/environ" % pid).st_uid != uid:
        return
    # asked for behind that: what is left before a process is opened to its owner is never seen in it
    words = read(pid, "stat").rpartition(b")")[2].split()
    cwd = os.stat("/proc/%d/cwd" % pid)
    name = os.path.basename(os.readlink("/proc/%d/exe" % pid))
    same = (cwd.st_dev, cwd.st_ino) == here
    files = [os.readlink("/proc/%d/fd/%s" % (pid, fd)) for fd in os.listdir("/proc/%d/fd" % pid)]
    bare = words[4] == b"0" and not any(file.startswith("/dev/pts/") for file in files)
    seen.add("%s %s %s" % (name, "none" if bare else "terminal", "same" if same else "other"))
    if b"TAKEOVER=" in read(pid, "environ"):
        seen.add("%s environment" % name)


def main():
    uid, command = int(sys.argv[1]), sys.argv[2:]
    st = os.stat(".")
    pid, screen = pty.fork()
    if pid == 0:
        os.execvp(command[0], command)
    os.set_blocking(screen, False)
    seen = set()
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            break
        try:
            for process in below(pid):
                try:
                    look(process, uid, (st.st_dev, st.st_ino), seen)
                except OSError:
                    pass
            os.read(screen, 65536)
        except OSError:
            pass
    print("\n".join(sorted(seen)))
    sys.exit(os.waitstatus_to_exitcode(status))


main()
