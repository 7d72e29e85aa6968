# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: arguments that look like options of the launcher, or hold newlines, escapes, nothing (attempts 10, 83)
# property: P11
# contained: they reach the tool as they are, and the record holds them; nothing is injected
without_control "the act is the launcher's own"
attempt() {
	launch /bin/sh -c 'printf "<%s>" "$@"' - --bind=/ -- -w / $'a\nb' '' $'\e[31m' '{"x":1}'
	expect output $'<--bind=/><--><-w></><a\nb><><\e[31m><{"x":1}>' "$OUT"
	expect argv '["/bin/sh","-c","printf \"<%s>\" \"$@\"","-","--bind=/","--","-w","/","a\nb","","\u001b[31m","{\"x\":1}"]' \
		"$(record '.planned.argv | tojson')"
	expect "one line" 1 "$(as "$AIRLOCK" log --json 2>/dev/null | grep -c '"x')"
	expect "no escape in log" 0 "$(as "$AIRLOCK" log 2>&1 | grep -c $'\e')"
	expect "no escape in show" 0 "$(as "$AIRLOCK" show @last 2>&1 | grep -c $'\e')"
	launch --bind=/
	expect "exit" 127 "$RC"
	expect_has message "--bind=/" "$ERR"
}
