# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034 # read by launchers.sh
# crun with what `crun spec` says (namespaces, masked paths, few capabilities, no filter), a root of the host's system
# directories, and the workspace. No control group is made: this host's are left alone.
LAUNCHER_LACKS="no control group in this row"
LAUNCHER_WRITES=(/sys/fs/cgroup) # covered: it refuses a hybrid host, and asks even when it makes none
launcher_version() { crun --version 2>/dev/null | sed -n 1p; }
launcher_command() {
	local bundle=$T/crun spec=() run=()

	rm -rf "${bundle:?}"
	as mkdir -p "$bundle/root" "$bundle/state"
	[ "$IDENTITY" = root ] || spec=(--rootless)
	(cd "$bundle" && as crun spec "${spec[@]}") || return
	jq --arg ws "$WORKSPACE" --arg read "$READ" --arg reading "$READING" '
		.process.terminal = false | .process.cwd = $ws | .process.args = $ARGS.positional
		| .process.env = ["PATH=/usr/bin:/bin", "HOME=/tmp"] | .root = {path: "root", readonly: true}
		| .mounts |= map(select(.type != "cgroup" and .destination != "/sys/fs/cgroup"))
		| .mounts += [["/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", "/etc/passwd", "/etc/group"][]
			| {destination: ., type: "bind", source: ., options: ["rbind", "ro", "nosuid", "nodev"]}]
		| .mounts += [{destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev"]},
			{destination: $ws, type: "bind", source: $ws, options: ["rbind", "rw", "nosuid", "nodev"]}]
		| if $reading == "" then . else .mounts += [{destination: $read, type: "bind", source: $read,
			options: ["rbind", "ro"]}] end' --args -- "$@" <"$bundle/config.json" >"$T/crun.json" || return
	as tee "$bundle/config.json" <"$T/crun.json" >/dev/null
	CMD=(crun --root "$bundle/state" --cgroup-manager=disabled run --bundle "$bundle" "airlock-kit-$$")
}
