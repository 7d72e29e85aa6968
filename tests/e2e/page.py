# SPDX-License-Identifier: Apache-2.0
"""Runs the console blocks of a page and compares what they print with what the page says.

  page.py PAGE -- SHELL...

Every `$ ` line of a ```console block is a command ("> " continues it), the lines below it what it prints, both streams
together. All blocks go through one shell, in their order. "…" stands for any text in a line; alone in a line, for any
lines. One line per command: "ok NAME" or "not ok NAME: why". Run by tests/e2e as the identity that the shell is of.
"""
import re
import subprocess
import sys


def blocks(page):
    section, inside, steps = "", False, []
    for line in open(page, encoding="utf-8").read().split("\n"):
        if line.startswith("```"):
            inside = not inside and line == "```console"
        elif line.startswith("## "):
            section = line[3:]
        elif inside and line.startswith("$ "):
            steps.append([section, line[2:], []])
        elif inside and line.startswith("> "):
            steps[-1][1] += "\n" + line[2:]
        elif inside:
            steps[-1][2].append(line)
    return steps


def pattern(lines):
    out = ""
    for line in lines:
        out += "(?:.*\n)*?" if line == "…" else ".*?".join(map(re.escape, line.split("…"))) + "\n"
    return out


def read_to(stream, mark):
    out = b""
    while mark not in out:
        byte = stream.read(1)
        if not byte:
            return out.decode(errors="replace"), True
        out += byte
    return out[: -len(mark)].decode(errors="replace"), False


def main():
    page, shell = sys.argv[1], sys.argv[3:]
    steps = blocks(page)
    mark = b"\x01done\x01"
    with subprocess.Popen(shell, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as p:
        for section, command, want in steps:
            # An empty stdin for the command: the rest of the page is not its input.
            text = "{ " + command + "\n} </dev/null\nprintf '\\001done\\001'\n"
            p.stdin.write(text.encode())
            p.stdin.flush()
            got, ended = read_to(p.stdout, mark)
            name = section + ": " + " ".join(command.split("\n")[0].split())[:70]
            if re.fullmatch(pattern(want), got):
                print("ok " + name, flush=True)
            else:
                said = (got + (" (the shell ended)" if ended else "")).replace("\n", " / ")
                print(f"not ok {name}: wanted {' / '.join(want)}, got {said[:400]}", flush=True)
            if ended:
                break
        p.stdin.close()
    if not steps:
        print("not ok page: no console block in it")


if __name__ == "__main__":
    main()
