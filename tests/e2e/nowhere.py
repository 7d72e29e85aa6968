#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Looks for planted values, or a half of one, in every form that airlock's output scan knows and in those of its own writers.
Run by tests/e2e/91-nowhere.sh, as whoever is to look. Says one line for each place, with the form: never the value.

usage: nowhere.py files VALUE-FILE... -- PATH...    files, and all that is below directories: names, contents, attributes;
                                                    a device or an image is a file
       nowhere.py argv VALUE-FILE... --             the arguments and the environment of all processes
       nowhere.py proc VALUE-FILE... -- [PID...]    what /proc has of these processes, or of all of them
"""

import base64
import json
import os
import stat
import sys
import urllib.parse

CHUNK = 16 << 20


def text_forms(half):
    """Spellings of what is text: whole characters of it."""
    text = half.decode("utf-8", "ignore")
    if not text.isprintable() and not text.replace("\n", "").isprintable():
        return
    for ascii_only in (True, False):
        yield "json", json.dumps(text, ensure_ascii=ascii_only)[1:-1].encode()
    yield "json", json.dumps(text)[1:-1].replace("/", "\\/").encode()
    yield "json", "".join(f"\\u{ord(c):04x}" for c in text if ord(c) < 0x10000).encode()
    yield "url", urllib.parse.quote_plus(text, safe="").encode()


def forms_of(half):
    yield "raw", half
    yield "reversed", half[::-1]
    for shift in range(3):
        whole = base64.b64encode(bytes(shift) + half)
        first, last = (0, 2, 3)[shift], len(whole) - (4 if (len(half) + shift) % 3 else 0)
        for name, table in (("base64", b"+/"), ("base64url", b"-_")):
            yield f"{name}+{shift}", whole[first:last].translate(bytes.maketrans(b"+/", table))
    hexed = half.hex()
    yield "hex", hexed.encode()
    yield "hex", hexed.upper().encode()
    yield "hex", half.hex(":").encode()
    yield "hex", half.hex(" ").encode()
    yield "url", urllib.parse.quote(half, safe="").encode()
    yield "url", urllib.parse.quote(half, safe="").lower().encode()
    yield "url", "".join(f"%{b:02X}" for b in half).encode()
    yield "vis", b"".join(bytes([b]) if 0x20 < b < 0x7F and b != 0x5C else b"\\%03o" % b for b in half)
    yield from text_forms(half)


def patterns(files):
    """Each with a name. Halves: a value may lie across two blocks that are not neighbours."""
    found = {}
    for file in files:
        with open(file, "rb") as f:
            value = f.read()
        assert len(value) >= 32, file
        middle = len(value) // 2
        for part, half in (("first half", value[:middle]), ("second half", value[middle:])):
            for form, spelling in forms_of(half):
                found.setdefault(spelling, f"{os.path.basename(file)}, {part}, {form}")
    return found


def search(read, wanted, overlap):
    """Names of what is in the bytes that read() gives until they end."""
    names, before = set(), b""
    while True:
        try:
            more = read(CHUNK)
        except OSError:
            break
        if not more:
            break
        data = before + more
        names.update(name for spelling, name in wanted.items() if spelling in data)
        before = data[-overlap:]
    return names


def say(where, names):
    for name in sorted(names):
        print(f"{where}: {name}")
    return len(names)


def in_bytes(data, wanted):
    return {name for spelling, name in wanted.items() if spelling in data}


def in_file(path, wanted, overlap):
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError:
        return set()
    try:
        return search(lambda n: os.read(fd, n), wanted, overlap)
    finally:
        os.close(fd)


def in_attributes(path, wanted):
    names = set()
    try:
        for name in os.listxattr(path, follow_symlinks=False):
            names |= in_bytes(name.encode() + b"\0" + os.getxattr(path, name, follow_symlinks=False), wanted)
    except OSError:
        pass
    return names


def in_entry(path, wanted, overlap):
    st = os.lstat(path)
    count = say(f"{ascii(path)} (name)", in_bytes(os.fsencode(os.path.basename(path)), wanted))
    count += say(f"{ascii(path)} (attribute)", in_attributes(path, wanted))
    if stat.S_ISLNK(st.st_mode):
        return count + say(f"{ascii(path)} (target)", in_bytes(os.fsencode(os.readlink(path)), wanted))
    if stat.S_ISREG(st.st_mode) or stat.S_ISBLK(st.st_mode):
        return count + say(ascii(path), in_file(path, wanted, overlap))
    return count


def files(paths, wanted, overlap):
    count = 0
    for path in paths:
        count += in_entry(path, wanted, overlap)
        for top, dirs, names in os.walk(path):
            for name in dirs + names:
                try:
                    count += in_entry(os.path.join(top, name), wanted, overlap)
                except FileNotFoundError:
                    pass  # airlock-log is at work
    return count


def in_memory(pid, wanted, overlap):
    """Each mapping that lets itself be read."""
    names = set()
    try:
        with open(f"/proc/{pid}/maps", "rb") as f:
            ranges = [[int(n, 16) for n in line.split()[0].split(b"-")] for line in f]
        mem = os.open(f"/proc/{pid}/mem", os.O_RDONLY)
    except OSError:
        return names
    for start, end in ranges:
        at = [start]

        def read(size, end=end, at=at):
            data = os.pread(mem, min(size, end - at[0]), at[0])
            at[0] += len(data)
            return data

        if end < 1 << 63:
            names |= search(read, wanted, overlap)
    os.close(mem)
    return names


# What can be read of a process, and not what reading changes or waits for.
PROC_FILES = "cmdline comm environ status stat stack wchan auxv maps smaps limits mountinfo net/unix syscall timerslack_ns io cgroup".split()


def proc(pids, wanted, overlap):
    count = looked = 0
    for pid in pids or sorted(int(p) for p in os.listdir("/proc") if p.isdigit()):
        if int(pid) == os.getpid():
            continue
        looked += os.path.exists(f"/proc/{pid}/cmdline")
        for name in PROC_FILES:
            count += say(f"/proc/{pid}/{name}", in_file(f"/proc/{pid}/{name}", wanted, overlap))
        count += say(f"/proc/{pid}/mem", in_memory(pid, wanted, overlap))
        for group in ("fd", "map_files"):
            try:
                entries = os.listdir(f"/proc/{pid}/{group}")
            except OSError:
                continue
            for entry in entries:
                path = f"/proc/{pid}/{group}/{entry}"
                try:
                    readable = stat.S_ISREG(os.stat(path).st_mode) and os.stat(path).st_size < 1 << 26
                except OSError:
                    continue
                if readable:
                    count += say(path, in_file(path, wanted, overlap))
    assert looked > 0, "no process to look at"
    return count


def argv(_pids, wanted, _overlap):
    count = 0
    for pid in sorted(int(p) for p in os.listdir("/proc") if p.isdigit()):
        for name in ("cmdline", "environ"):
            count += say(f"/proc/{pid}/{name}", in_file(f"/proc/{pid}/{name}", wanted, 1))
    return count


def main():
    middle = sys.argv.index("--")
    wanted = patterns(sys.argv[2:middle])
    overlap = max(len(spelling) for spelling in wanted)
    found = {"files": files, "proc": proc, "argv": argv}[sys.argv[1]](sys.argv[middle + 1:], wanted, overlap)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
