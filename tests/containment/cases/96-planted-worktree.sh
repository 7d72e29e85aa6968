# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: to read configuration, hooks and logs of the repository that a linked worktree is given, to change it, and to
#        have another one shown by what the workspace's .git says (own)
# property: P3
# contained: ENOENT for what is not listed, EROFS for changes; a repository that does not point back is not shown at all
prepare() {
	as sh -c 'cd "$1" && mkdir -p r/objects/aa r/refs r/hooks r/logs r/worktrees/one/logs r/worktrees/two o/objects o/refs o/worktrees/one &&
		for f in r/HEAD r/config r/config.lock r/objects/aa/b r/hooks/h r/logs/HEAD r/worktrees/one/HEAD r/worktrees/one/index \
			r/worktrees/one/config.worktree r/worktrees/one/logs/HEAD r/worktrees/two/HEAD \
			o/HEAD o/objects/secret o/worktrees/one/HEAD; do echo canary >$f || exit; done
		for d in r o; do echo ../.. >$d/worktrees/one/commondir || exit; done
		echo "$2/.git" >r/worktrees/one/gitdir && echo "$2/sub/.git" >o/worktrees/one/gitdir &&
		echo "gitdir: $1/r/worktrees/one" >"$2/.git"' - "$CANARY" "$WORKSPACE"
}
free read:CANARY/r/objects/aa/b=ok read:CANARY/r/hooks/h=ok read:CANARY/r/config.lock=ok create:CANARY/r/objects/x=ok \
	unlink:CANARY/r/refs/x=ENOENT
rehearse() {
	act read:"$CANARY/r/objects/aa/b" read:"$CANARY/r/hooks/h" read:"$CANARY/r/config.lock" create:"$CANARY/r/objects/x" \
		unlink:"$CANARY/r/refs/x"
}
attack() {
	local r=$CANARY/r i=/.airlock/git
	act read:"$r/objects/aa/b" read:"$r/worktrees/one/index" list:"$r/" list:"$r/worktrees" list:"$r/worktrees/one" \
		read:"$r/hooks/h" read:"$r/logs/HEAD" read:"$r/config.lock" read:"$r/worktrees/one/config.worktree" \
		read:"$r/worktrees/one/logs/HEAD" read:"$r/worktrees/two/HEAD" read:"$r/objects/../hooks/h" \
		read:"$CANARY/secret" read:"$CANARY/o/objects/secret" create:"$r/objects/x" create:"$r/hooks" \
		unlink:"$r/objects/aa/b" chmod:"$i/config" truncate:"$i/config" rename:"$i/refs,$i/moved" utimes:"$i/HEAD" \
		link:"$i/HEAD,$i/x" unlink:"$i/worktrees/one/index" rmdir:"$i/info"
}
held read:CANARY/r/objects/aa/b=ok read:CANARY/r/worktrees/one/index=ok 'list:CANARY/r/=HEAD config objects refs worktrees' \
	list:CANARY/r/worktrees=one 'list:CANARY/r/worktrees/one=HEAD commondir gitdir index' read:CANARY/r/hooks/h=ENOENT \
	read:CANARY/r/logs/HEAD=ENOENT read:CANARY/r/config.lock=ENOENT read:CANARY/r/worktrees/one/config.worktree=ENOENT \
	read:CANARY/r/worktrees/one/logs/HEAD=ENOENT read:CANARY/r/worktrees/two/HEAD=ENOENT \
	read:CANARY/r/objects/../hooks/h=ENOENT read:CANARY/secret=ENOENT read:CANARY/o/objects/secret=ENOENT \
	create:CANARY/r/objects/x=EROFS create:CANARY/r/hooks=EROFS unlink:CANARY/r/objects/aa/b=EROFS \
	chmod:/.airlock/git/config=EROFS truncate:/.airlock/git/config=EROFS \
	rename:/.airlock/git/refs,/.airlock/git/moved=EROFS utimes:/.airlock/git/HEAD=EROFS \
	link:/.airlock/git/HEAD,/.airlock/git/x=EROFS unlink:/.airlock/git/worktrees/one/index=EROFS rmdir:/.airlock/git/info=EROFS
attempt() {
	usual_attempt
	as sh -c 'echo "gitdir: $1/o/worktrees/one" >"$2/.git"' - "$CANARY" "$WORKSPACE"
	act read:"$CANARY/o/objects/secret" read:"$CANARY/o/HEAD" list:/.airlock
	launch "${ACT[@]}"
	expect_lines "$(printf '%s\n' read:CANARY/o/objects/secret=ENOENT read:CANARY/o/HEAD=ENOENT list:/.airlock=ENOENT)" "$OUT"
	expect_has note "has no worktree of that name at this workspace" "$ERR"
}
