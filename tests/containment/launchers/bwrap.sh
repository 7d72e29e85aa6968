# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034 # read by launchers.sh
# bubblewrap: all namespaces and no further ones, a new session, no environment, no capability; the system, and the workspace
# for writing. It has no filter and no limits but what its caller makes; none is made here.
LAUNCHER_LACKS="no limits of its own"
launcher_version() { bwrap --version 2>/dev/null; }
launcher_command() {
	local etc=(/etc/alternatives /etc/ld.so.cache /etc/passwd /etc/group /etc/nsswitch.conf /etc/localtime) p

	CMD=(bwrap --unshare-all --die-with-parent --new-session --cap-drop ALL --clearenv --setenv PATH /usr/bin:/bin --setenv HOME /tmp
		--ro-bind /usr /usr --symlink usr/bin /bin --symlink usr/lib /lib --symlink usr/lib64 /lib64 --symlink usr/sbin /sbin
		--proc /proc --dev /dev --tmpfs /tmp --bind "$WORKSPACE" "$WORKSPACE" --chdir "$WORKSPACE")
	for p in "${etc[@]}"; do
		CMD+=(--ro-bind-try "$p" "$p")
	done
	# since 0.8; it is not implied, and wants the namespace asked for by name
	! bwrap --help 2>&1 | grep -q -e --disable-userns || CMD+=(--unshare-user --disable-userns)
	[ -z "$READING" ] || CMD+=(--ro-bind "$READ" "$READ")
	CMD+=(-- "$@")
}
