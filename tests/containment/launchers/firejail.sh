# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034 # read by launchers.sh
# firejail: no profile but these options, which are its strictest that still run a program in a directory of one's own. It
# is setuid root and refuses root's and other users' directories that it cannot whitelist.
LAUNCHER_LACKS="limits that are not one process's"
LAUNCHER_WRITES=(/run/firejail)
launcher_version() { firejail --version 2>/dev/null | sed -n 1p; }
launcher_command() {
	CMD=(firejail --quiet --noprofile --net=none --caps.drop=all --nonewprivs --noroot --seccomp --seccomp.block-secondary
		--private "--private-etc=alternatives,ld.so.cache,passwd,group,nsswitch.conf,localtime" --blacklist=/sys
		--private-dev --private-cwd="$WORKSPACE" --ipc-namespace --nodbus --noinput --whitelist="$WORKSPACE"
		--disable-mnt --protocol=unix,inet,inet6)
	! firejail --help 2>&1 | grep -q -e --restrict-namespaces || CMD+=(--restrict-namespaces)
	[ -z "$READING" ] || CMD+=(--whitelist="$READ" --read-only="$READ")
	CMD+=(-- "$@")
}
