#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Run by tests as the identity: plays a person at a terminal and the shell that a command was started from.

terminal.py STEP... -- COMMAND [ARG...] starts COMMAND as the foreground job of a new terminal of 30 rows and 100
columns, takes the steps in order, waits for the command's end and exits as it did. What the terminal showed goes to
stdout. A step that does not come true in 20 s ends everything with 99 and says which.

  see TEXT      the terminal shows TEXT, behind what the last such step saw
  type TEXT     keys; \\r, \\x03 and the like as in Python
  size ROWS,COLUMNS
  raw, cooked   the terminal gets into this mode
  signal NAME   to the command
  stopped       the command stops; the shell takes the terminal back
  fg, bg        the shell goes on with it
  start-bg      before all others: it is started in the background
  hangup        the terminal goes away
  exited        the command ends
"""
import fcntl
import os
import select
import signal
import struct
import sys
import termios
import time

SECONDS = 20


def become_foreground(terminal, group):
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    os.tcsetpgrp(terminal, group)
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)


def shell(terminal, orders, news, command, background):
    """The session's leader: starts the command as a job and tells what becomes of it."""
    os.setsid()
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
    job = os.fork()
    if job == 0:
        os.setpgid(0, 0)
        if not background:
            become_foreground(terminal, os.getpid())
        for fd in range(3):
            os.dup2(terminal, fd)
        os.closerange(3, 64)
        os.execvp(command[0], command)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    os.write(news, b"%d\n" % job)
    while True:
        _, status = os.waitpid(job, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            os.write(news, b"exited %d\n" % os.waitstatus_to_exitcode(status))
            os._exit(0)
        try:
            become_foreground(terminal, os.getpgrp())
        except OSError:
            pass
        os.write(news, b"stopped %d\n" % os.WSTOPSIG(status))
        if os.read(orders, 2) == b"fg":
            become_foreground(terminal, job)
        os.killpg(job, signal.SIGCONT)
        os.write(news, b"goes on\n")


class Person:
    def __init__(self, command, background):
        self.screen, terminal = os.openpty()
        self.resize(30, 100)
        orders, self.orders = os.pipe()
        self.news, news = os.pipe()
        if os.fork() == 0:
            os.close(self.screen)
            os.close(self.orders)
            os.close(self.news)
            shell(terminal, orders, news, command, background)
        for fd in (terminal, orders, news):
            os.close(fd)
        self.shown, self.seen, self.told = b"", 0, b""
        self.wait(lambda: b"\n" in self.told, "start")
        self.job, _, self.told = self.told.partition(b"\n")

    def resize(self, rows, columns):
        fcntl.ioctl(self.screen, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def look(self):
        fds = [fd for fd in (self.screen, self.news) if fd >= 0]
        for fd in select.select(fds, [], [], 0.01)[0]:
            try:
                got = os.read(fd, 65536)
            except OSError:
                got = b""
            if fd == self.news:
                self.told += got
            elif got:
                self.shown += got
                sys.stdout.buffer.write(got)
                sys.stdout.buffer.flush()

    def wait(self, true, step):
        end = time.monotonic() + SECONDS
        while not true():
            if time.monotonic() > end:
                print("\nNOT: " + step, flush=True)
                os.killpg(int(self.job), signal.SIGKILL)
                sys.exit(99)
            self.look()

    def is_raw(self):
        return not termios.tcgetattr(self.screen)[3] & termios.ICANON

    def sees(self, text):
        at = self.shown.find(text, self.seen)
        if at >= 0:
            self.seen = at + len(text)
        return at >= 0

    def hears(self, word):
        if not self.told.startswith(word) or b"\n" not in self.told:
            return False
        self.heard, _, self.told = self.told.partition(b"\n")
        return True

    def take(self, step):
        word, _, text = step.partition(" ")
        text = text.encode().decode("unicode_escape")
        if word == "see":
            self.wait(lambda: self.sees(text.encode()), step)
        elif word == "type":
            os.write(self.screen, text.encode("latin-1"))
        elif word == "size":
            self.resize(*(int(n) for n in text.split(",")))
        elif word in ("raw", "cooked"):
            self.wait(lambda: self.is_raw() == (word == "raw"), step)
        elif word == "signal":
            os.kill(int(self.job), signal.Signals["SIG" + text])
        elif word in ("stopped", "exited"):
            self.wait(lambda: self.hears(word.encode()), step)
        elif word in ("fg", "bg"):
            os.write(self.orders, word.encode())
            self.wait(lambda: self.hears(b"goes on"), step)
        elif word == "hangup":
            os.close(self.screen)
            self.screen = -1
        else:
            sys.exit("no such step: " + step)


def main():
    at = sys.argv.index("--")
    steps, command = sys.argv[1:at], sys.argv[at + 1:]
    person = Person(command, "start-bg" in steps)
    for step in steps:
        if step != "start-bg":
            person.take(step)
    if "exited" not in steps:
        person.take("exited")
    if person.screen >= 0:
        while select.select([person.screen], [], [], 0)[0] and person.shown != (person.look() or person.shown):
            pass
        if person.is_raw():
            print("NOT: left raw")
            sys.exit(99)
    status = int(person.heard.split()[1])
    sys.exit(status if status >= 0 else 128 - status)


main()
