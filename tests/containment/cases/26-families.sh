# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: every socket family but UNIX, IPv4, IPv6, also with dirt in the upper half (attempts 26, 64, 67)
# property: P14
# contained: EAFNOSUPPORT, one event per family
for_any
control_in userns
free family-16=ok family-17=ok family-40=ok family-16-dirty=ok
attack() { act families; }
for i in {3..9} {11..49}; do
	held "family-$i=EAFNOSUPPORT"
	event syscall "socket family $i protocol 0"
done
held family-16-dirty=EAFNOSUPPORT
