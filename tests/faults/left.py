# SPDX-License-Identifier: Apache-2.0
"""What calls could leave on a host. Imported by the programs beside it."""
import os
import time


def processes(state):
    """Processes of a state directory, and what they started: fronts, jails, tools, airlock-log, airlock-cli."""
    ours, parents = set(), {}
    for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
        try:
            with open(f"/proc/{pid}/stat") as f:
                parents[pid] = int(f.read().rsplit(")", 1)[1].split()[1])
            with open(f"/proc/{pid}/environ", "rb") as f:
                if f"AIRLOCK_STATE={state}\0".encode() in f.read():
                    ours.add(pid)
        except OSError:
            pass
    grown = True
    while grown:
        more = {pid for pid, parent in parents.items() if parent in ours} - ours
        ours |= more
        grown = bool(more)
    return sorted(ours)


def is_group_of_dead(path, uid):
    """A call's group is c-BOOT-PIDNS-PID-START-RANDOM; one whose launcher lives belongs to somebody else."""
    part = os.path.basename(path).split("-")
    try:
        return part[0] == "c" and len(part) == 6 and os.stat(path).st_uid == uid and not os.path.exists(f"/proc/{part[3]}")
    except OSError:
        return False  # removed meanwhile


def traces(top, uid):
    """What is no process: by name, so that what others leave can be told apart. Other suites run beside these; the names of
    their directories begin with their own."""
    with open("/proc/self/mountinfo") as f:
        mounts = {line.split()[4] for line in f if top in line or "airlock" in line.split()[4]}
    groups = {path for path, _, _ in os.walk("/sys/fs/cgroup") if is_group_of_dead(path, uid)}
    files = {f"{place}/{name}" for place in ("/tmp", "/dev/shm", "/var/tmp") for name in os.listdir(place)
             if name.startswith("airlock-") and os.stat(f"{place}/{name}", follow_symlinks=False).st_uid == uid}
    return mounts | groups | files


def in_state(state):
    """Files that are there for as long as a call runs, commits or owes something, and half-made ones."""
    return {f"{place}/{name}" for place, _, names in os.walk(state) for name in names
            if os.path.relpath(place, state) in ("running", "commits", "leases") or name.startswith(".new-")}


def wait_for_none(what, seconds=30):
    """What `what` still returns when it has returned nothing once, or the time is over."""
    until = time.monotonic() + seconds
    while (found := what()) and time.monotonic() < until:
        time.sleep(0.05)
    return found
