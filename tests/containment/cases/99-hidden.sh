# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: to read, write, move, replace or uncover what the profile hides in the workspace (own)
# property: P8
# contained: EACCES, EROFS, EBUSY; what is created under a hidden name is held; the host's files stay as they are
prepare() {
	as sh -c 'cd "$1" && mkdir keys a && echo canary >secret && echo canary >keys/one && mkdir a/b && echo canary >a/b/deep &&
		ln -s secret to-secret' - "$WORKSPACE"
	as tee "$WORKSPACE/../p.yaml" >/dev/null <<-Y
		version: 1
		name: p
		description: Hides a file, a directory, a file further down, and what is not there yet.
		extends: default
		filesystem: { hide: [secret, keys, a/b/deep, later, a/soon] }
	Y
}
options -p "$T/inside/p.yaml"
free read:secret=ok read:keys/one=ok read:a/b/deep=ok read:to-secret=ok list:keys=one rename:a,z=ok
rehearse() { act read:secret read:keys/one read:a/b/deep read:to-secret list:keys rename:a,z; }
attack() {
	act read:secret read:to-secret read:./a/../secret read:a/b/deep read:keys/one list:keys chmod:secret read:secret \
		chmod:a/b/deep write:secret append:a/b/deep,x truncate:secret utimes:secret setxattr:secret,user.x,1 \
		link:secret,copy link:a/b/deep,copy mmap:secret unlink:secret unlink:a/b/deep rmdir:keys create:keys/two \
		chmod:keys rename:secret,moved rename:attack,secret exchange:secret,attack exchange:keys,a \
		rename:keys,moved rename:a/b,c rename:a,c exchange:a,attack rmdir:a/b handle:secret open:/proc/self/cwd/secret \
		climb:"$WORKSPACE/secret" rename-whiteout:secret,moved create:later create:a/soon read:a/b/deep read:secret
}
held read:secret=EACCES read:to-secret=EACCES read:./a/../secret=EACCES read:a/b/deep=EACCES read:keys/one=ENOENT \
	list:keys= chmod:secret=EROFS read:secret=EACCES chmod:a/b/deep=EROFS write:secret=EACCES append:a/b/deep,x=EACCES \
	truncate:secret=EROFS utimes:secret=EROFS setxattr:secret,user.x,1=EROFS link:secret,copy=EXDEV \
	link:a/b/deep,copy=EXDEV mmap:secret=EACCES unlink:secret=EBUSY unlink:a/b/deep=EBUSY rmdir:keys=EBUSY \
	create:keys/two=EROFS chmod:keys=EROFS rename:secret,moved=EBUSY rename:attack,secret=EBUSY \
	exchange:secret,attack=EBUSY exchange:keys,a=EBUSY rename:keys,moved=EBUSY rename:a/b,c=EXDEV rename:a,c=EXDEV \
	exchange:a,attack=EXDEV rmdir:a/b=ENOTEMPTY handle:secret=EPERM open:/proc/self/cwd/secret=EACCES \
	climb:WORKSPACE/secret=EACCES rename-whiteout:secret,moved=EPERM create:later=ok create:a/soon=ok \
	read:a/b/deep=EACCES read:secret=EACCES
event syscall open_by_handle_at renameat2
exit_code 123
settled held
attempt() {
	usual_attempt
	expect "changes" "create a/soon hidden: a/soon;create later hidden: later;" \
		"$(jq -r '.outcome.changes.items[] | "\(.kind) \(.path) \(.hold)"' "$RESULT_DIR/record" | sort | tr '\n' ';')"
	expect "the secrets" "canary canary canary" "$(cat "$WORKSPACE"/{secret,keys/one,a/b/deep} | tr '\n' ' ' | sed 's/ $//')"
	expect "the names" "a attack keys secret to-secret" "$(ls -A "$WORKSPACE" | tr '\n' ' ' | sed 's/ $//')"
}
