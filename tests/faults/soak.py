#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Many calls of many workflows, while everything of airlock is killed at random.

  soak.py BUILD CALLS WORKFLOWS [SEED [WORKERS]]

Each call has a key and is sent again until it is answered. Every tool that runs leaves a line behind its key, outside of
the workspace. In the end: no key ran more often than its profile and what a person resolved allow, whoever was answered
has an outcome, drafts and trees are what the records say, ledgers are what the journal says, and the store verifies. Of the calls
nothing is left: no process, mount, control group, temporary file or half-made file of the state, and airlock-log has no more
descriptors open than it needs. Every
other workflow is in propose: its tools can leave nothing outside, and what they leave is held. As root, it runs as nobody;
as a plain user as himself. One line at the end; exit 0 or 1.
"""
import collections
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

import left

build, calls, workflows = os.path.abspath(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
seed = int(sys.argv[4]) if len(sys.argv) > 4 else 1
WORKERS = int(sys.argv[5]) if len(sys.argv) > 5 else 4
LOG_FDS_MAX = 40  # what airlock-log has open at once, however many calls it has seen
NOBODY = 65534
chance = random.Random(seed)
top = tempfile.mkdtemp(prefix="airlock-soak-")
state, out, airlock = f"{top}/state", f"{top}/out", f"{build}/airlock"
uid = NOBODY if os.getuid() == 0 else os.getuid()
who = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
env = {"PATH": "/usr/bin:/bin", "HOME": f"{top}/home", "AIRLOCK_STATE": state, "AIRLOCK_PROFILES": f"{top}/profiles",
       "LC_ALL": "C"}
wrong = []


def verb(*words, want=0):
    p = subprocess.run([airlock, *words], env=env, capture_output=True, text=True, **who)
    if want is not None and p.returncode != want:
        wrong.append(f"{' '.join(words)}: {p.returncode}, not {want}: {p.stderr.strip()[:200]}")
    return p


def rows(*words):
    return [json.loads(line) for line in verb(*words).stdout.splitlines()]


def prepare():
    for name in ("home", "profiles", "out"):
        os.mkdir(f"{top}/{name}")
    for name in ("safe-apply", "safe-propose", "ask-apply", "ask-propose"):
        retry, mode = name.split("-")
        with open(f"{top}/profiles/{name}.yaml", "w") as f:
            f.write(f"""version: 1
name: {name}
extends: base
mode: {mode}
retry: {retry}
effects: [read, write-workspace, write-external]
filesystem: {{ read: [/usr, /bin, /lib, /lib64], write: [{out}] }}
limits: {{ wall: 20s }}
allow_degraded: [cgroup, landlock]
""")
    for n in range(workflows):
        os.mkdir(f"{top}/w{n}")
    if who:
        subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", top], check=True)
    os.chmod(top, 0o755)
    for n in range(workflows):
        verb("workflow", "new", f"w{n}", "--loop-guard", "0")


def mode_of(n):
    return ("apply", "propose")[n % 2]


def writes(n, key):
    """A draft has room for 64 change sets."""
    return mode_of(n) == "apply" or int(key[1:]) // workflows % 2 == 0


def command(n, key):
    leave = f"echo {key} >>{out}/{key} && " if mode_of(n) == "apply" else ""
    write = f"echo {key} >f.{key} && " if writes(n, key) else ""
    return ["sh", "-c", f"{leave}{write}echo said {key}"]


class Worker(threading.Thread):
    """Sends keys until each is answered; a person resolves what is unknown."""

    def __init__(self, jobs, answered):
        super().__init__()
        self.jobs, self.answered = jobs, answered

    def run(self):
        while True:
            try:
                n, key, retry = self.jobs.pop()
            except IndexError:
                return
            self.why = ""
            for _ in range(60):
                if self.send(n, key, retry):
                    break
            else:
                wrong.append(f"{key}: never answered: {self.why[:300]}")

    def send(self, n, key, retry):
        result = f"{top}/home/{key}"
        p = subprocess.Popen([airlock, "run", "-q", "-n", "--wait", "--result", result, "-W", f"w{n}", "-k", key, "-p",
                              f"{retry}-{mode_of(n)}", "-w", f"{top}/w{n}", "--", *command(n, key)], env=env, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True, **who)
        said, why = p.communicate()
        self.why = why
        try:
            with open(result) as f:
                got = json.load(f)
        except (OSError, ValueError):
            return False  # it was killed before
        finally:
            if os.path.exists(result):
                os.unlink(result)
        if got["call"] and got["verdict"] not in ("unknown", "denied", "launch_failed"):
            self.answered[key] = (n, said if got["verdict"] == "ok" else "")
            return True
        if "airlock resolve" in why and p.returncode == 125:
            call = why.split("airlock resolve ")[1].split()[0]
            # what it left says whether it ran
            verb("resolve", call, "done" if os.path.exists(f"{out}/{key}") else "rerun", want=None)
        return False


class Killer(threading.Thread):
    """Kills less often when fewer are left: alone, and on a slow machine, nobody would ever come through."""

    def __init__(self, workers):
        super().__init__()
        self.workers = workers
        self.stop, self.count = threading.Event(), collections.Counter()
        self.log_fds = 0

    def run(self):
        while not self.stop.wait(chance.uniform(0.005, 0.08) * WORKERS / max(1, sum(w.is_alive() for w in self.workers))):
            pids = left.processes(state)
            if not pids:
                continue
            pid = chance.choice(pids)
            try:
                with open(f"/proc/{pid}/comm") as f:
                    name = f.read().strip()
                if name == "airlock-log":
                    self.log_fds = max(self.log_fds, len(os.listdir(f"/proc/{pid}/fd")))
                os.kill(pid, signal.SIGKILL)
                self.count[name] += 1
            except OSError:
                pass


def check_left(before, killer):
    # airlock-log stays for a second, for who comes next
    for pid in left.wait_for_none(lambda: left.processes(state)):
        wrong.append(f"process {pid} is left")
    for name in sorted(left.traces(top, uid) - before):
        if name != top:
            wrong.append(f"{name} is left")
    for name in sorted(left.in_state(state)):
        wrong.append(f"{name} is left in the state")
    if killer.log_fds > LOG_FDS_MAX:
        wrong.append(f"airlock-log had {killer.log_fds} descriptors open")


def check_runs(records, answered):
    """No key ran more often than unknown calls that may run again allow."""
    unknown = collections.Counter(r["key"] for r in records if r["verdict"] == "unknown")
    ok = {r["key"]: r for r in records if r["verdict"] == "ok"}
    for key, (n, said) in answered.items():
        ran = 0
        if os.path.exists(f"{out}/{key}"):
            with open(f"{out}/{key}") as f:
                ran = len(f.readlines())
        if ran > 1 + unknown[key] or (mode_of(n) == "apply" and said and ran < 1):
            wrong.append(f"{key}: ran {ran} times, {unknown[key]} of its calls are unknown")
        if said and (key not in ok or said != f"said {key}\n"):
            wrong.append(f"{key}: was answered {said!r}, and no call of it is ok")


def check_ledgers():
    before = [verb("workflow", "show", f"w{n}", "--json").stdout for n in range(workflows)]
    for n in range(workflows):
        os.unlink(f"{state}/wf/{json.loads(before[n])['workflow']}/ledger")
    verb("recover")
    for n in range(workflows):
        after = verb("workflow", "show", f"w{n}", "--json").stdout
        if json.loads(before[n])["budget"] != json.loads(after)["budget"]:
            wrong.append(f"w{n}: its ledger is not what the journal says")


def check_trees(records):
    for n in range(workflows):
        mine = [r for r in records if r["workflow_name"] == f"w{n}" and r["verdict"] == "ok"]
        verb("apply", "--workflow", f"w{n}", want=None)
        held = {r["call"] for r in rows("pending", "--json")}
        want = {f"f.{r['key']}" for r in mine if r["call"] not in held and writes(n, r["key"])}
        have = set(os.listdir(f"{top}/w{n}"))
        for name in sorted(have ^ want):
            call = [(r["call"], r["settled"]) for r in mine if f"f.{r['key']}" == name]
            wrong.append(f"w{n}: {name} is {'' if name in have else 'not '}there: {call}")
        if mode_of(n) == "propose" and any(r["call"] in held for r in mine):
            wrong.append(f"w{n}: what it proposed could not be applied")


def main():
    before = left.traces(top, uid)
    prepare()
    jobs = [(n % workflows, f"k{n}", chance.choice(["safe", "ask"])) for n in range(calls)]
    chance.shuffle(jobs)
    answered = {}
    workers = [Worker(jobs, answered) for _ in range(WORKERS)]
    killer = Killer(workers)
    killer.start()
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    killer.stop.set()
    killer.join()
    verb("recover")
    records = rows("log", "-n", "0", "--json")
    check_runs(records, answered)
    if len(answered) != calls:
        wrong.append(f"{len(answered)} of {calls} keys were answered")
    check_ledgers()
    check_trees(records)
    verb("verify", "--store", state, "--key", json.loads(verb("key", "show", "--json").stdout)["vkey"])
    check_left(before, killer)
    unknown = sum(r["verdict"] == "unknown" for r in records)
    print(f"# {calls} keys, {len(records)} calls, {unknown} unknown; killed {dict(killer.count)}; "
          f"airlock-log had up to {killer.log_fds} descriptors")
    for line in wrong[:20]:
        print(f"not ok soak: {line}")
    return 1 if wrong or sum(killer.count.values()) < calls / 50 else 0


try:
    status = main()
finally:
    if not wrong:
        shutil.rmtree(top, ignore_errors=True)
    else:
        print(f"# left for a look: {top}")
sys.exit(status)
