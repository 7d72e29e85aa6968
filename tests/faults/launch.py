#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Every system call before a tool's exec fails once.

  launch.py BUILD IDENTITY [EVERY [SEED]]

Of a launch whose profile is compiled already fail_at lists all system calls that the front and the jail's processes make
before the tool is executed. For each one of them (each EVERYth, from one that SEED chooses on) a launch is made in which
it fails. Either it is refused: the tool is not executed, nothing is on stdout, exit 125, and the last line on stderr says
what failed. Or, for those of TOLERATED alone, it goes on; then airlock-inspect, which is the tool, must see the very
sandbox that it sees without a failure. Nothing is left: no process, mount, control group or file. IDENTITY is root, or
plain, for which root becomes nobody. A line at the end; exit 0 or 1.
"""
import collections
import errno
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading

import left

build, identity = os.path.abspath(sys.argv[1]), sys.argv[2]
every = int(sys.argv[3]) if len(sys.argv) > 3 else 1
seed = int(sys.argv[4]) if len(sys.argv) > 4 else 1
NOBODY = 65534
NEVER_CAME = 99
TOOL = "airlock-inspect"
# Calls whose failure a launch may survive in the same sandbox, by program.
TOLERATED = {
    # The descriptor is closed all the same; what is given back is ours alone. The C library marks what was opened
    # close-on-exec once more, and blocks signals around fork.
    "airlock-jail": "close fcntl munmap mmap brk rt_sigprocmask",
    # The same; and what only helps: the cache of hashed files (each is hashed anew), the compiled profile (it is compiled
    # anew), sweeps of what others left, the index, git's configuration, affinity, the thread that hashes the input (the
    # record says that it was not), what is read again from a socket, and looks that then go another way, such as readlink
    # of what is no link.
    "airlock": "close fcntl munmap mmap brk rt_sigprocmask rt_sigaction madvise futex read pread64 lseek getdents64 write open "
               "openat openat2 stat fstat newfstatat statx faccessat readlink recvmsg getcwd flock flistxattr waitid pause "
               "prlimit64 eventfd2 uname sched_getaffinity sched_setaffinity",
}
# Those that lead to another sandbox which is as good, and in which of its parts.
ANOTHER = {
    "uname": {"limits", "mounts"},  # the upper directory is on disk, as on kernels before 6.6
    "access": {"mounts"},  # a directory of /etc is shown by a mount of its own
}
uid = NOBODY if identity == "plain" and os.getuid() == 0 else os.getuid()
who = {"user": uid, "group": uid, "extra_groups": []} if uid != os.getuid() else {}
top = tempfile.mkdtemp(prefix="airlock-faults-", dir="/dev/shm")
wrong, never, undecided, refused, tolerated = [], [], [], collections.Counter(), collections.Counter()
lock = threading.Lock()


def complain(text):
    wrong.append(text)
    print(f"not ok launch: {text}", flush=True)


# what a worker that ends early had before it was not tried
threading.excepthook = lambda e: complain(f"a worker ended: {e.exc_type.__name__}: {e.exc_value}")


def is_dying(program, at):
    """PR_SET_PDEATHSIG of the child that holds a user namespace: it ends for that, or is killed first, having done its part."""
    return program == "airlock" and at.split()[3].startswith("prctl(0x1,")


class World:
    """A state and a workspace, in which one launch is made at a time."""

    def __init__(self, name):
        self.top = f"{top}/{name}"
        self.state = f"{self.top}/state"
        self.known = set()  # left by an earlier launch, and told
        # whatever layer a host has not; where it has all of them none may go missing
        with open(f"{top}/strict.yaml", "w") as f:
            f.write("version: 1\nname: strict\nextends: default\nallow_degraded: "
                    f"[{'cgroup' if uid != 0 else ''}]\n")
        for path in (self.top, f"{self.top}/ws", f"{self.top}/home"):
            os.mkdir(path)
            os.chown(path, uid, uid)
        self.env = {"PATH": "/usr/bin:/bin", "HOME": f"{self.top}/home", "AIRLOCK_STATE": self.state, "LC_ALL": "C"}

    def launch(self, process, call, error):
        """Exit status, stdout, stderr, and what fail_at wrote."""
        notes = f"{self.top}/notes"
        command = [f"{top}/build/airlock", "run", "-q", "-p", f"{top}/strict.yaml", "--limit", "wall=5s", "-w", f"{self.top}/ws",
                   "--", TOOL, "--json"]
        p = subprocess.run([f"{top}/build/fail_at", TOOL, str(process), str(call), str(error), notes, *command], env=self.env,
                           capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL, check=False, **who)
        with open(notes) as f:
            return p.returncode, p.stdout, p.stderr, f.read().splitlines()

    def left(self):
        names = left.traces(self.top, uid) - before
        return names - {top} | left.in_state(self.state) | {
            f"process {pid} ({name})" for pid, name in self.running() if name != "airlock-log"}

    def running(self):
        for pid in left.processes(self.state):
            try:
                with open(f"/proc/{pid}/comm") as f:
                    yield pid, f.read().strip()
            except OSError:
                pass


def sandbox(text):
    """What a report says of the sandbox, by section, without what is another one in every call; nothing when it is none."""
    text = re.sub(r"\b2147\d{6}\b", "2147000000", text)  # whose ids nobody else has just now
    try:
        report = json.loads(text)
    except ValueError:
        return {}
    for namespace in report["namespaces"]:
        del namespace["inode"]
    for descriptor in report["descriptors"]:
        descriptor["target"] = re.sub(r"^pipe:.*", "pipe", descriptor["target"])
    for mount in report["mounts"]:
        mount["super_options"] = re.sub(r"/proc/self/fd/\d+", "/proc/self/fd/N", mount["super_options"])
    return report


def pairs(want, got):
    """The parts of two reports that differ."""
    if want == got:
        return []
    if isinstance(want, list) and isinstance(got, list) and len(want) == len(got):
        return [pair for w, g in zip(want, got) for pair in pairs(w, g)]
    return [(want, got)]


def differences(want, got):
    """The sections of two reports that differ, and in what."""
    return {key: pairs(value, got.get(key)) for key, value in want.items() if got.get(key) != value}


def judge(world, point, want):
    process, call, _, what = point
    try:
        # beside a load a launch has another process, such as a log that had ended: then the next one has what was to fail
        for _ in range(3):
            rc, out, err, notes = world.launch(process, call, errno.EPERM)
            if rc != NEVER_CAME:
                break
    except subprocess.TimeoutExpired:
        complain(f"{process}.{call} {what}: it hangs: {list(world.running())}")
        return
    # the launches differ by a call or two, such as a further read of /proc/self/mountinfo
    at = next((line for line in notes if line != "ran"), f"{process} {call} ? {what}")
    program, name = at.split()[2], at.split()[3].split("(")[0]
    last = (err.splitlines() or [""])[-1]
    differs = differences(want, sandbox(out))
    ran = "ran" in notes
    found = left.wait_for_none(lambda: world.left() - world.known, 2)
    world.known |= found
    with lock:
        if rc == NEVER_CAME:
            never.append(f"{at}: {err[-200:]!r}")
        elif not ran:
            refused[name] += 1
            # 126, 127: what a shell says of a program that cannot be executed, or looked for
            if rc not in (125, 126, 127) or out or not re.match(r"airlock: .", last):
                complain(f"{at}: refused with {rc}, {len(out)} bytes, {err[-300:]!r}")
        elif rc == 125 and name == "poll" and not out:
            undecided.append(at)  # it was under way while the tool was executed, and the call ended as unknown
            found = set()
        elif rc != 0 or differs.keys() - ANOTHER.get(name, set()):
            complain(f"{at}: it ran in another sandbox: {rc}, {err[-300:]!r}, {str(differs)[:2000]}")
        else:
            tolerated[name] += 1
            if name not in TOLERATED[program].split() and name not in ANOTHER and not is_dying(program, at):
                complain(f"{at}: its failure was ignored")
        if found:
            complain(f"{at}: left: {sorted(found)}")


def work(n, points):
    world = World(f"w{n}")
    world.launch(-1, 0, 0)
    rc, out, err, notes = world.launch(-1, 0, 0)
    if rc != 0:
        complain(f"without a failure: {rc}, {err[-300:]!r}")
        return
    want = sandbox(out)
    mine = [line.split() for line in notes if line != "ran" and " fail_at " not in line]
    for i, (process, call, program, what) in enumerate(mine):
        if i % (every * WORKERS) == (seed + n * every) % (every * WORKERS):
            judge(world, (int(process), int(call), program, what), want)
            points.append(what.split("(")[0])


WORKERS = os.cpu_count()
before = left.traces(top, uid)


def main():
    os.chmod(top, 0o755)
    shutil.copytree(f"{build}/../profiles", f"{top}/profiles")
    os.mkdir(f"{top}/build")
    for name in os.listdir(build):
        if name == "airlock" or name.startswith("airlock-"):
            shutil.copy(f"{build}/{name}", f"{top}/build/")
    shutil.copy(f"{build}/tests/faults/fail_at", f"{top}/build/")
    points = []
    threads = [threading.Thread(target=work, args=(n, points)) for n in range(WORKERS)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if len(never) > len(points) / 20:
        complain(f"{len(never)} of {len(points)} calls never came: {never[:3]}")
    print(f"# {identity}: {len(points)} system calls, {len(set(points))} different ones: {sum(refused.values())} launches refused, "
          f"{len(undecided)} unknown; the same sandbox in spite of {dict(tolerated)}")
    return 1 if wrong or not refused else 0


try:
    status = main()
finally:
    shutil.rmtree(top, ignore_errors=True)
sys.exit(status)
