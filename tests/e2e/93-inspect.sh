#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# airlock-inspect: what a call can see by default, exactly; and that it sees more where there is more.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"

INSPECT=$(dirname "$A")/airlock-inspect

# seen JQ: of the last report, in $OUT.
seen()
{
	jq -r "$1" "$OUT"
}

# ---- the controls: outside ---------------------------------------------------------------------------
as_id "$INSPECT" --json >"$OUT" 2>"$ERR"
expect_eq "outside: it runs" "0 " "$? $(cat "$ERR")"
case $E2E_IDENTITY in
plain) expect_eq "outside: a user has no capability in effect" "0 true" "$(seen '.capabilities | "\(.effective | length) \(.bounding | length > 0)"')" ;;
*) expect_eq "outside: root's are there" true "$(seen '.capabilities.effective | index("sys_admin") != null')" ;;
esac
if [ "$E2E_IDENTITY" = userns ]; then
	expect_eq "outside: a user namespace is told from the first one" "false" "$(seen '.namespaces[] | select(.name == "user") | .initial')"
else
	grep -q '^Seccomp:.2' /proc/self/status || expect_eq "outside: no filter" "off 0" "$(seen '.seccomp | "\(.mode) \(.filters)"')"
fi
expect_eq "outside: processes of the host" true "$(seen '.processes | length > 2')"
expect_eq "outside: calls that the filter stops inside come through" "EINVAL" "$(seen '.calls[] | select(.name == "clone3") | .result')"
as_id sh -c '"$0" --json landlock descriptors 9<"$1" | cat' "$INSPECT" "$T" >"$OUT"
expect_eq "outside: a stray descriptor" "9 read $T" "$(seen '.descriptors[] | select(.number == 9) | "\(.number) \(.access) \(.target)"')"
expect_eq "the sections that were named, alone" "descriptors landlock" "$(seen 'keys | join(" ")')"

# ---- inside, by default ------------------------------------------------------------------------------
expect_run "the bare name is the one of this airlock" 0 -- airlock-inspect --json
expect_eq "which the record says" "/.airlock/airlock-inspect" "$(record .planned.tool)"
expect_eq "no capability, in five sets" "[] [] [] [] []" "$(seen '.capabilities | "\(.ambient) \(.bounding) \(.effective) \(.inheritable) \(.permitted)"')"
expect_eq "one filter" "filter $(($(sed -n 's/^Seccomp_filters:.//p' /proc/self/status) + 1))" "$(seen '.seccomp | "\(.mode) \(.filters)"')"
expect_eq "no_new_privs, and the securebits locked" "true 239" "$(seen '.process | "\(.no_new_privs) \(.securebits)"')"
expect_eq "PID 2 below PID 1, and nobody else" "2 1 airlock-jail airlock-inspect" "$(seen '"\(.process.pid) \(.process.parent) \([.processes[].name] | join(" "))"')"
expect_eq "descriptors 0 to 2" "0 read, 1 write, 2 write" "$(seen '[.descriptors[] | "\(.number) \(.access)"] | join(", ")')"
expect_eq "devices" "full null pts/ptmx random urandom zero" "$(seen '[.devices[].path | sub("^/dev/"; "")] | join(" ")')"
expect_eq "and their numbers" "1:7 1:3 5:2 1:8 1:9 1:5" "$(seen '[.devices[].number] | join(" ")')"
expect_eq "lo, and nothing else" "lo true 127.0.0.1 ::1/128" "$(seen '.network | "\([.interfaces[] | "\(.name) \(.up)"] | join(" ")) \([.addresses[].address] | join(" "))"')"
expect_eq "no route leaves it" "lo" "$(seen '[.network.routes[].interface] | unique | join(" ")')"
expect_eq "namespaces of its own, but for the time's" "cgroup ipc mnt net pid user uts" "$(seen '[.namespaces[] | select(.initial == false) | .name] | join(" ")')"
expect_eq "socket families" "inet inet6 unix" "$(seen '[.sockets.families[] | select(.result == "ok") | .name] | join(" ")')"
expect_eq "the others do not exist" "EAFNOSUPPORT EPROTONOSUPPORT" "$(seen '[.sockets.families[].result | select(. != "ok")] | unique | join(" ")')"
expect_eq "no socket of anybody's" "0 0 0 true" "$(seen '.sockets | "\(.abstract | length) \(.paths | length) \(.listening | length) \(.paths_complete)"')"
expect_eq "no call that leads out" "EPERM ENOSYS clone3 io_uring_setup" \
	"$(seen '"\([.calls[] | select(.result != "ENOSYS") | .result] | unique | join(" ")) ENOSYS \([.calls[] | select(.result == "ENOSYS") | .name] | join(" "))"')"
expect_eq "no terminal" "ENOENT 0" "$(seen '.terminal | "\(.controlling) \(.descriptors | length)"')"
expect_eq "no control group to change" "false ENOENT" "$(seen '"\(.cgroup.mounted) \(.kernel_files[] | select(.path == "/sys/fs/cgroup/cgroup.procs") | .result)"')"
expect_eq "files of the kernel are masked, or cannot be written" "EACCES ENOENT EROFS masked" "$(seen '[.kernel_files[].result, "EROFS", "EACCES"] | unique | join(" ")')"
expect_eq "what can be written is the call's own" "$(printf '%s\n' /dev/shm /tmp /var/tmp "$E2E_HOME" "$WS" | sort | tr '\n' ' ')" "$(seen '.writable[].path' | sort | tr '\n' ' ')"
expect_eq "mounts: no suid, and devices alone are devices" "0 0" \
	"$(seen '"\([.mounts[] | select(.options | split(",") | index("nosuid") == null)] | length) \([.mounts[] | select(.options | split(",") | index("nodev") == null) | select(.fs != "devtmpfs" and .fs != "devpts" and (.point | test("^/(dev|proc)/") | not))] | length)"')"
expect_eq "no core, and the profile's files" "1 1024" "$(seen '"\(.limits[] | select(.name == "CORE") | .hard) \(.limits[] | select(.name == "NOFILE") | .hard)"')"
expect_eq "nothing looked like a credential" 0 "$(seen '[.environment[] | select(.credential)] | length')"
abi=$(seen '.landlock.abi // 0')
if [ "$abi" -ge 6 ]; then
	expect_eq "one ruleset of Landlock, which keeps signals in" "1 EPERM" "$(seen '.landlock | "\(.layers) \(.acts[] | select(.act == "signal 0 to process 1") | .result)"')"
else
	skip "Landlock with scopes" "ABI $abi"
fi
case $E2E_IDENTITY in
root | userns) want="1000 1000" ;;
plain) want="$(id -u "$E2E_USER") $(id -g "$E2E_USER")" ;;
esac
expect_eq "ids, all four of each" "$want" "$(seen '.identity | [.uids[], .gids[]] | unique | if length == 1 then "\(.[0]) \(.[0])" else map(tostring) | join(" ") end')"
expect_eq "one id is mapped" "1 1" "$(seen '.identity | "\([.uid_map[].count] | add) \([.gid_map[].count] | add)"')"
expect_eq "what it tried has changed nothing" "" "$(ls -A "$WS")"
expect_eq "and was denied as everything is: the record has it" true "$(record '[.outcome.denials[].what] | index("bpf") != null')"

expect_run "a call of something else has no copy of it" 1 -- test -e /.airlock

# A program of that name in the workspace is not it; by its path it is.
printf '#!/bin/sh\necho fake\n' >"$WS/airlock-inspect"
chmod 755 "$WS/airlock-inspect"
own "$WS"
mkdir -p "$T/profiles"
printf 'version: 1\nname: path\ndescription: x\nextends: default\nenvironment: { set: { PATH: "%s:/usr/bin" } }\n' "$WS" >"$T/profiles/path.yaml"
printf 'version: 1\nname: one\ndescription: x\nextends: base\neffects: [read]\ntool: { run: [/usr/bin/env] }\nfilesystem: { read: [/usr, /lib, /lib64] }\nallow_degraded: [cgroup, landlock]\n' >"$T/profiles/one.yaml"
own "$T/profiles"
expect_run "beside one in the workspace" 0 -p "$T/profiles/path.yaml" -- airlock-inspect seccomp
expect_eq "it is still airlock's" "seccomp|  filters: 1|  mode: filter|" "$(sed 's/filters: .*/filters: 1/' "$OUT" | tr '\n' '|')"
expect_run "by its path it is what is there" 0 -- ./airlock-inspect
expect_eq "as any program" fake "$(cat "$OUT")"
expect_run "words that it does not have" 2 -- airlock-inspect nonsense
expect_run "tool.run holds for it, too" 125 -p "$T/profiles/one.yaml" -- airlock-inspect
expect_match "which is said" "runs only what tool.run names" "$ERR"

# Text: what a person reads says the same, and holds no byte of a name as it is.
expect_run "as text" 0 -t -- airlock-inspect
expect_match "text: capabilities" "effective: none" "$OUT"
expect_match "text: with -t there is a terminal" "controlling: ok" "$OUT"

# ---- credentials -------------------------------------------------------------------------------------
VALUE=pl4nted-value-of-a-credential
mkdir -p "$T/home/.config/airlock/bundles/b"
printf '%s' "$VALUE" >"$T/value"
chmod 600 "$T/value"
printf 'bundle: b\nowner: test\nitems:\n  file: { source: file, path: %s, name: tok.en, access: read }\n  env: { source: file, path: %s, deliver: env, name: MY_TOKEN, access: read }\n  fd: { source: file, path: %s, deliver: fd, name: PIPE_FD, access: read }\n' \
	"$T/value" "$T/value" "$T/value" >"$T/home/.config/airlock/bundles/b/bundle.yaml"
printf 'version: 1\nname: p\ndescription: x\nextends: default\ncredentials: [file, env, fd]\n' >"$T/profiles/p.yaml"
chmod -R go-w "$T/home/.config"
own "$T/home/.config" "$T/value" "$T/profiles"
expect_run "with leased credentials" 0 -p "$T/profiles/p.yaml" --bundle b -- airlock-inspect --json
expect_eq "their names: file, variable, descriptor" "tok.en|CREDENTIALS_DIRECTORY MY_TOKEN|read" \
	"$(seen '"\(.credentials.files | join(" "))|\([.environment[] | select(.credential) | .name] | join(" "))|\([.descriptors[] | select(.number > 2) | .access] | join(" "))"')"
expect_no_match "and no value" "$VALUE" "$OUT"
expect_eq "nor was one taken out of the output" 0 "$(record '.outcome.leaks // [] | length')"
expect_run "and as text" 0 -p "$T/profiles/p.yaml" --bundle b -- airlock-inspect
expect_no_match "no value there either" "$VALUE" "$OUT"
expect_match "the mark" "MY_TOKEN                    credential" "$OUT"
