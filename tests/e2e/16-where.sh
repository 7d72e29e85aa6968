#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Where the tool starts, and what a workspace in a git repository means.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"
payload stdio
S=$E2E_PAYLOAD/stdio

# in DIR CMD…: as the identity, standing in DIR
in_dir()
{
	local dir=$1
	shift

	(cd "$dir" && as_id "$@")
}

mkdir -p "$WS/sub/deep" "$T/elsewhere"
own "$WS" "$T/elsewhere"
expect_out "the workspace is the current directory" "$WS" in_dir "$WS" "$A" run -- pwd
expect_out "its own subdirectory is where the tool starts" "$WS/sub" in_dir "$WS/sub" "$A" run -w "$WS" -- pwd
expect_out "else its root" "$WS" in_dir "$T/elsewhere" "$A" run -w "$WS" -- pwd
expect_out "-C is relative to the workspace" "$WS/sub/deep" as_id "$A" run -w "$WS" -C sub/deep -- pwd
expect_out "-C may be absolute" "$WS/sub" as_id "$A" run -w "$WS" -C "$WS/sub" -- pwd
expect_out "a relative workspace" "$WS" in_dir "$T" "$A" run -w "$(basename "$WS")" -- pwd
ln -s "$WS" "$T/link"
if [ "$E2E_IDENTITY" = plain ]; then
	expect_out "a link to a workspace is what it points to" "$WS" as_id "$A" run -w "$T/link" -- pwd
else
	as_id "$A" run -w "$T/link" -- pwd >"$OUT" 2>"$ERR"
	expect_eq "root follows no link to a workspace" \
		"125 airlock: workspace $T/link: there is a link in this path, which root does not follow: name the directory itself" \
		"$? $(cat "$ERR")"
fi
expect_out "what is beside the workspace is not there" "$([ "$E2E_IDENTITY" = root ] || echo home\ )ws" as_id "$A" run -w "$WS" -- sh -c 'cd "$1" && echo *' sh "$T"

mkdir "$T/gone"
own "$T/gone"
(cd "$T/gone" && as_id "$S" deleted "$A" run -w "$WS" -- pwd) >"$OUT" 2>"$ERR"
expect_eq "a deleted current directory and -w" "0 $WS" "$? $(cat "$OUT")"
mkdir "$T/gone"
own "$T/gone"
(cd "$T/gone" && as_id "$S" deleted "$A" run -- pwd) >"$OUT" 2>"$ERR"
expect_eq "a deleted current directory alone" "125 airlock: the workspace was deleted: go to another directory or name one with -w" \
	"$? $(cat "$ERR")"

# A mount inside the workspace: the call does not see it. The kernel lets a plain user's overlay not hide one.
new_ws mounted
mkdir "$WS/inner"
echo beneath >"$WS/inner/beneath"
own "$WS"
if [ "$(id -u)" != 0 ]; then
	skip "a mount inside the workspace" "only root can make one"
else
	unshare -m sh -c 'mount -t tmpfs none "$1/inner" && echo above >"$1/inner/above" && shift && exec "$@"' sh "$WS" \
		"${E2E_AS_ID[@]}" "$A" run -w "$WS" -- ls inner >"$OUT" 2>"$ERR"
	RC=$?
	if [ "$E2E_IDENTITY" = root ]; then
		note="$WS/inner is mounted inside the workspace: the call does not see it, but the directory beneath"
		expect_eq "a mount inside the workspace is hidden, with a note" "0 beneath airlock: note: $note" \
			"$RC $(cat "$OUT") $(cat "$ERR")"
		expect_eq "and the record lists it" "[\"$note\"]" "$(record '.outcome.warnings | tojson')"
		unshare -m sh -c 'for i in 1 2 3 4 5 6 7 8 9 10; do mkdir "$1/$i" && mount -t tmpfs none "$1/$i" || exit; done; shift; exec "$@"' \
			sh "$WS" "${E2E_AS_ID[@]}" "$A" run -w "$WS" -- true >"$OUT" 2>"$ERR"
		expect_eq "of many, the first are named and the rest counted" "0 9 airlock: note: and 2 more mounts inside the workspace" \
			"$? $(wc -l <"$ERR") $(tail -n 1 "$ERR")"
	else
		expect_match "a mount inside the workspace is refused" "$WS/inner is a mount inside the workspace" "$ERR"
		expect_eq "and nothing runs" "125 " "$RC $(cat "$OUT")"
	fi
fi

if ! command -v git >/dev/null; then
	skip "git" "git is not installed"
	exit 0
fi
git_as() { as_id env HOME="$T/home" GIT_CONFIG_NOSYSTEM=1 git -c user.name=t -c user.email=t@example.com -c init.defaultBranch=main "$@"; }
new_ws repo
in_dir "$WS" true
git_as -C "$WS" init -q
mkdir "$WS/pkg"
echo a >"$WS/pkg/a"
own "$WS"
git_as -C "$WS" add -A
git_as -C "$WS" commit -q -m one
git_as -C "$WS" worktree add -q "$T/tree" 2>/dev/null
expect_run "a repository: no hint" 0 -- true
expect_eq "on stderr" "" "$(cat "$ERR")"
run_airlock -- git status --porcelain
expect_eq "and git works in it" "0 " "$RC $(cat "$OUT")"
repo=$WS
WS=$repo/pkg
expect_run "a subdirectory of a repository runs" 0 -- cat a
expect_eq "with one hint" "airlock: note: the workspace is a directory of the git repository $repo, which is not visible: use -w $repo for git" \
	"$(cat "$ERR")"
run_airlock -- sh -c 'git rev-parse --show-toplevel 2>/dev/null || echo "no repository"'
expect_eq "which is true" "no repository" "$(cat "$OUT")"
run_airlock -q -- true
expect_eq "-q silences it" "" "$(cat "$ERR")"
WS=$T/tree
expect_run "a linked worktree runs" 0 -- git status
expect_eq "without a hint" "" "$(cat "$ERR")"
mv "$repo" "$repo.moved"
expect_run "one whose repository is gone runs" 0 -- cat pkg/a
expect_match "with one hint" "airlock: note: the workspace is a linked git worktree" "$ERR"
expect_eq "in one line" 1 "$(wc -l <"$ERR")"
run_airlock -q -- true
expect_eq "-q silences that, too" "" "$(cat "$ERR")"
