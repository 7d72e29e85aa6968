#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The result JSON and the stored record tell the same story.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"

# agree NAME JQ_RESULT JQ_RECORD
agree()
{
	local result stored

	result=$(jq -S -c "$2" "$T/result" 2>&1)
	stored=$(as_id "$A" show "$(jq -r .call "$T/result")" --json | jq -S -c "$3")
	expect_eq "$1" "$stored" "$result"
}

story()
{
	agree "$1: call" '.call, .record' '.planned.call, .outcome.call'
	agree "$1: verdict" '[.verdict, .exit, .signal, .reason, .settled]' '.outcome | [.verdict, .exit, .signal, .reason, .settled]'
	agree "$1: changes" .changes '.outcome.changes | {created, deleted, held, modified, watched}'
	agree "$1: denials" '[.denials, .denials_dropped, .missing_layers]' '.outcome | [.denials, .denials_dropped, .missing_layers]'
	agree "$1: isolation" .isolation .outcome.attestation
	agree "$1: usage" '.usage | [.cpu_ms, .disk_bytes, .memory_peak, .pids_peak, .wall_ms]' \
		'.outcome.usage | [.cpu_ms, .disk_bytes, .memory_peak, .pids_peak, .wall_ms]'
	agree "$1: streams" '.usage | [.stdout_bytes, .stderr_bytes]' '.outcome | [.stdout.bytes, .stderr.bytes]'
	agree "$1: request" '[.key, .workflow, .profile, .mode, .limits]' '.planned | [.key, .workflow, .profile.name, .mode, .limits]'
}

echo old >"$WS/old"
echo gone >"$WS/gone"
own "$WS"
run_airlock -k a-key --result "$T/result" -- sh -c 'echo new >new; echo more >>old; rm gone; echo 12345; echo err >&2;
	i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done'
expect_eq "a call that changes things" 0 "$RC"
story ok
expect_eq "what it says" '["ok",0,null,null,"committed","a-key","default","apply"]' \
	"$(jq -c '[.verdict, .exit, .signal, .reason, .settled, .key, .profile, .mode]' "$T/result")"
expect_eq "what was changed" '{"created":1,"deleted":1,"held":0,"modified":1,"watched":0}' "$(jq -S -c .changes "$T/result")"
expect_eq "what was printed" '6 4' "$(jq -r '.usage | "\(.stdout_bytes) \(.stderr_bytes)"' "$T/result")"
expect_eq "usage is above nothing" 'true true true' \
	"$(jq -r '.usage | "\(.cpu_ms > 0) \(.wall_ms > 0) \(.memory_peak > 0)"' "$T/result")"
if [ "$E2E_IDENTITY" = root ]; then
	expect_eq "with a cgroup processes are counted" true "$(jq -r '.usage.pids_peak > 0' "$T/result")"
fi
expect_eq "keys of the result" \
	'["attempt","call","changes","denials","denials_dropped","done_when","exit","held_as","input","input_changed","isolation","key","limits","missing_layers","mode","not_replayed","principal","profile","reason","record","replayed","resolved","settled","signal","usage","verdict","workflow"]' \
	"$(jq -c keys "$T/result")"
expect_eq "its keys are sorted and it is one line" "$(jq -S -c . "$T/result")" "$(cat "$T/result")"
expect_eq "keys of the isolation" \
	'["capabilities","gid","groups","landlock_abi","mounts","mounts_digest","namespaces","no_new_privs","rlimits","seccomp_digest","seccomp_filters","terminal","uid","uid_outside"]' \
	"$(jq -c '.isolation | del(.cgroup) | keys' "$T/result")"
expect_eq "no_new_privs, no capability" 'true []' "$(jq -r '.isolation | "\(.no_new_privs) \(.capabilities)"' "$T/result")"
expect_eq "seven namespaces, none of them ours" '["cgroup","ipc","mnt","net","pid","user","uts"]' \
	"$(jq -c '.isolation.namespaces | keys' "$T/result")"
for ns in cgroup ipc mnt net pid user uts; do
	own_ns=$(readlink "/proc/self/ns/$ns" | tr -dc 0-9)
	expect_eq "$ns is another" true "$(jq -r ".isolation.namespaces.$ns != $own_ns" "$T/result")"
done
if [ "$E2E_IDENTITY" = root ]; then
	expect_eq "a cgroup with the limits" '[3221225472,512,0]' "$(jq -c '.isolation.cgroup | [.memory_max, .pids_max, .swap_max]' "$T/result")"
	expect_eq "nothing is degraded" '[]' "$(record '.outcome.degraded | tojson')"
else
	# What there is depends on the machine; doctor looks on its own.
	expect_eq "degraded is what doctor says, one layer a name, sorted" \
		"$(as_id "$A" doctor --json | jq -c '[.layers[] | select(.status == "degraded") | .layer] | sort')" \
		"$(record '.outcome.degraded | tojson')"
fi
expect_eq "record: what it saw" 'sh -c true' "$(record '.planned.argv[:2] | join(" ")') $(record '.outcome.in_tree.files == 2')"
expect_eq "record: items" '["create new","delete gone","modify old"]' \
	"$(record '[.outcome.changes.items[] | "\(.kind) \(.path)"] | sort | tojson')"
expect_eq "record: stdout is inline" 12345 "$(record .outcome.stdout.inline | base64 -d)"

run_airlock --result "$T/result" -- sh -c 'echo x >kept-back; exit 9'
story failed
expect_eq "failed and held" '9 failed 9 held' "$RC $(jq -r '"\(.verdict) \(.exit) \(.settled)"' "$T/result")"
expect_eq "with a reason" true "$(jq -r '.reason | length > 0' "$T/result")"
run_airlock --result "$T/result" -m observe -- sh -c 'echo x >seen'
story observe
expect_eq "observe discards" 'ok discarded observe 1' "$(jq -r '"\(.verdict) \(.settled) \(.mode) \(.changes.created)"' "$T/result")"
expect_eq "and leaves nothing" "" "$(ls "$WS/seen" 2>/dev/null)"
run_airlock --result "$T/result" -- sh -c 'kill -9 $$'
story signaled
expect_eq "signaled" 'signaled null 9' "$(jq -r '"\(.verdict) \(.exit) \(.signal)"' "$T/result")"
run_airlock --result "$T/result" --limit wall=200ms -- sleep 20
story timeout
expect_eq "timeout" '124 timeout null' "$RC $(jq -r '"\(.verdict) \(.exit)"' "$T/result")"
expect_eq "wall time is the limit's" true "$(jq -r '.usage.wall_ms >= 200 and .usage.wall_ms < 3000' "$T/result")"
run_airlock --limit memory=256MiB --limit pids=99 --limit wall=1m --result "$T/result" -- true
story narrowed
expect_eq "limits are the narrowed ones" '[268435456,99,60000]' "$(jq -c '.limits | [.memory, .pids, .wall]' "$T/result")"
as_id "$A" run -w "$WS" --result-fd 9 -- sh -c 'echo out' 9>"$T/by-fd" >"$OUT"
expect_eq "--result-fd says the same kind of thing" 'ok out' "$(jq -r .verdict "$T/by-fd") $(cat "$OUT")"
expect_eq "log lists them all, newest last" 'ok failed ok signaled timeout ok ok' \
	"$(as_id "$A" log -n 0 --json | jq -r .verdict | tr '\n' ' ' | sed 's/ $//')"
expect_eq "seq counts in the workflow" '1 2 3 4 5 6 7' \
	"$(for c in $(as_id "$A" log -n 0 --json | jq -r .call); do record .planned.seq "$c"; done | tr '\n' ' ' | sed 's/ $//')"

# ---- where the tool could put another in its place -----------------------------------------------
calls=$(journal_entries)
for option in --result --receipt; do
	for file in "$WS/r.json" "$WS/d/r.json"; do
		as_id mkdir -p "$WS/d"
		run_airlock "$option" "$file" -- sh -c 'rm -f "$1"; echo evil >"$1"' sh "$file"
		expect_eq "$option ${file#"$WS"/} in the workspace: no call" "125 $calls" "$RC $(journal_entries)"
		expect_match "$option ${file#"$WS"/} in the workspace: why, and what to do" \
			"$option $file: it lies in the workspace, where the tool can put a file of its own in this one's place; name one outside" "$ERR"
		expect_eq "$option ${file#"$WS"/} in the workspace: no file is left" no "$([ -e "$file" ] && echo yes || echo no)"
	done
done
(cd "$WS" && as_id "$A" run --result r.json -- true) >"$OUT" 2>&1
expect_match "--result by a relative name too" "it lies in the workspace" "$OUT"
as_id ln -s "$WS" "$T/into"
run_airlock --result "$T/into/r.json" -- true
expect_eq "--result through a link: no call" "125 $calls" "$RC $(journal_entries)"

# what is there stays as it was, whatever the call is refused for; what is not there is not left
# spared NAME ARG…: no call, and nothing of its answer in the workspace, which is the current directory
spared()
{
	local name=$1
	shift

	rm -f "$WS"/{r,out,d/r,d/out}.json
	as_id sh -c 'echo precious >"$1/README"' sh "$WS"
	(cd "$WS" && as_id "$A" run "$@" >"$OUT" 2>"$ERR")
	expect_eq "$name: refused in one line, README and the tree as they were" "125 1 $calls precious README d new old seen" \
		"$? $(wc -l <"$ERR") $(journal_entries) $(cat "$WS/README") $(cd "$WS" && find . -mindepth 1 -printf '%f\n' | sort | paste -sd ' ')"
}
as_id touch "$WS/seen"
for option in --result --receipt; do
	for file in README out.json d/out.json; do
		spared "$option $file" "$option" "$file" -- true
		spared "$option $file, and no such profile" "$option" "$file" -p no-such-profile -- true
		spared "$option $file, and no such directory for -C" "$option" "$WS/$file" -w "$WS" -C no-such -- true
		spared "$option $file, and no such option" -w . "$option" "$file" --no-such-option -- true
		spared "$option $file, and no command" "$option" "$file"
	done
done
spared "--result and --receipt" --result README --receipt out.json -- true
spared "--receipt and --result" --receipt README --result out.json -- true
spared "--result and --receipt are one new file" --receipt out.json --result out.json -- true
spared "--receipt, and a result outside" --receipt README --result "$T/result" -- true
expect_match "which says why" "--receipt README: it lies in the workspace" <(jq -r .reason "$T/result")
spared "a bad option before it is known what the workspace is: delivered outside" --result "$T/result" --no-such-option
expect_match "what was wrong" "unknown option --no-such-option" <(jq -r .reason "$T/result")
(cd "$WS" && as_id "$A" run --result out.json --no-such-option -w "$T/home") >"$OUT" 2>&1
expect_eq "a workspace that was not named yet may be another: delivered" null "$(jq -c .call "$WS/out.json")"
as_id rm "$WS/out.json" "$WS/README" "$WS/seen"
as_id rm -rf "$WS/r.json" "$WS/d" "$T/into"

# by other names of the same directories; the mounts go with the namespace
if [ "$E2E_IDENTITY" = plain ]; then
	skip "--result by another mount of the workspace" "a plain user may not mount"
else
	as_id mkdir -p "$WS/sub/d" "$T/alias/d"
	evil='rm -f r.json sub/r.json sub/d/r.json; for f in r.json sub/r.json sub/d/r.json; do echo evil >$f; done'
	# mounted FROM AT WORKSPACE FILE: a call in WORKSPACE, whose answer is to go to FILE
	mounted()
	{
		as_id unshare -m sh -c 'mount --bind "$1" "$2" && shift 2 && exec "$@"' sh "$1" "$2" \
			"$A" run -w "$3" "$option" "$4" -- sh -c "$evil" >"$OUT" 2>"$ERR"
		RC=$?
		expect_eq "$5: no call" "125 $calls" "$RC $(journal_entries)"
		expect_match "$5: why" "$option $4: it lies in the workspace" "$ERR"
	}
	for option in --result --receipt; do
		mounted "$WS" "$T/alias" "$WS" "$T/alias/r.json" "$option by another mount of the workspace"
		mounted "$WS" "$T/alias" "$WS" "$T/alias/sub/d/r.json" "$option far below it"
		mounted "$WS" "$T/alias" "$T/alias" "$WS/sub/r.json" "$option in the workspace, which has another name"
		mounted "$WS/sub" "$T/alias" "$WS" "$T/alias/r.json" "$option by a mount of a directory in it"
		mounted "$WS/sub" "$T/alias" "$WS" "$T/alias/d/r.json" "$option below that"
	done
	option=--result
	as_id unshare -m sh -c 'mount --bind "$1" "$2" && shift 2 && exec "$@"' sh "$T/alias" "$T/alias/d" \
		"$A" run -w "$WS" --result "$T/alias/d/r.json" -- true >"$OUT" 2>"$ERR"
	expect_eq "positive control: by a mount of another directory, in itself" "0 ok" "$? $(jq -r .verdict "$T/alias/r.json")"
	as_id rm -rf "$WS/r.json" "$WS/sub" "$T/alias"
fi

run_airlock -- true
printf 'version: 1\nname: safe\nextends: base\nopen: []\nfilesystem: { read: [/usr, /bin, /lib, /lib64] }\nretry: safe\nallow_degraded: [cgroup, landlock]\n' >"$T/safe.yaml"
own "$T/safe.yaml"
expect_eq "record: a person decides about running again" ask "$(record .planned.retry)"
run_airlock -p "$T/safe.yaml" -- /bin/true
expect_eq "record: or nobody has to" "0 safe" "$RC $(record .planned.retry)"
