# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: to get a capability, an id or a group back (attempts 37, 38)
# property: P2
# contained: all five sets are empty, EPERM, EINVAL for ids that are not mapped
for_any
also keepcaps=ok # there are none to keep
also setuid-0=own setgid-0=own # root's by name: what the capabilities are is another line
control_in userns
free setuid-0=own no_new_privs=0 keepcaps=ok securebits=ok
attack() { act privileges; }
# to clear them takes root: they stay in a namespace of a user's own
groups=$(sed -n 's/^Groups:[[:space:]]*//p' /proc/self/status | wc -w)
[ "$(id -u)" != 0 ] || groups=0
held "capabilities=0 0 0, bounding 0" capset=EPERM ambient=EPERM keepcaps=EPERM securebits=EPERM \
	no_new_privs-off=EINVAL no_new_privs=1 setuid-0=EINVAL setgid-0=EINVAL seccomp-off=EINVAL "groups=$groups"
