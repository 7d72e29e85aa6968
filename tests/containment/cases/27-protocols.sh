# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: protocols that walk around the rules for ports: MPTCP, SCTP, ICMP, raw (attempts 59, 26)
# property: P14
# contained: EPROTONOSUPPORT, or EAFNOSUPPORT for a pair of another family; TCP and UDP work
for_any
control_in userns
free mptcp=ok raw=ok tcp=ok udp6=ok mptcp-dirty=ok
attack() { act protocols; }
held mptcp=EPROTONOSUPPORT mptcp6=EPROTONOSUPPORT sctp=EPROTONOSUPPORT dccp=EPROTONOSUPPORT icmp=EPROTONOSUPPORT \
	icmp6=EPROTONOSUPPORT raw=EPROTONOSUPPORT raw6=EPROTONOSUPPORT udplite=EPROTONOSUPPORT mptcp-dirty=EPROTONOSUPPORT \
	tcp=ok udp6=ok pair-tipc=EAFNOSUPPORT
event syscall "socket family 2 protocol 1" "socket family 2 protocol 132" "socket family 2 protocol 136" \
	"socket family 2 protocol 255" "socket family 2 protocol 262" "socket family 2 protocol 33" \
	"socket family 10 protocol 262" "socket family 10 protocol 58" "socket family 10 protocol 255" socketpair
