#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A call's network is its own lo. A test, and nobody else, can serve it from outside: listen_in_call of lib.sh.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

mkdir -p "$T/profiles"
printf 'version: 1\nname: lo\ndescription: x\nextends: default\nnetwork: { loopback: true }\n' >"$T/profiles/lo.yaml"
own "$T/profiles"

# The tool tries until somebody listens.
# shellcheck disable=SC2016 # the tool's variables
ask='until (exec 3<>/dev/tcp/127.0.0.1/5000) 2>/dev/null; do sleep 0.02; done; exec 3<>/dev/tcp/127.0.0.1/5000; echo "to you" >&3; read -r line <&3; echo "got $line"'

start_airlock -p "$T/profiles/lo.yaml" -- bash -c "$ask"
# shellcheck disable=SC2016 # its own variables
listen_in_call 5000 each bash -c 'read -r line && echo "$line from outside"'
expect_eq "a connection is a command's stdin and stdout" 0 $?
check "which answers" wait_for 20 bg_says "got to you from outside"
wait "$PID"
expect_eq "the call ends" 0 $?
stop_listening

start_airlock -p "$T/profiles/lo.yaml" -- bash -c "$ask"
listen_in_call 5000 fd python3 -c '
import socket
s = socket.socket(fileno=3)
while True:
    f = s.accept()[0].makefile("rw")
    f.write(f.readline().strip() + " by a server\n")
    f.flush()'
expect_eq "a server is handed the socket" 0 $?
check "and answers" wait_for 20 bg_says "got to you by a server"
wait "$PID"
expect_eq "that call ends too" 0 $?
stop_listening

expect_run "control: the next one has a lo of its own" 0 -p "$T/profiles/lo.yaml" -- \
	bash -c '(exec 3<>/dev/tcp/127.0.0.1/5000) 2>/dev/null || echo nobody'
expect_eq "where nobody listens" nobody "$(cat "$OUT")"
