#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A repository of 50,000 files under the profile `default`: it works, and all of it is in the record. One identity: what
# differs between them does not depend on the size, and making the files is most of the time.
# identities: plain
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"

in_ws()
{
	(cd "$WS" && as_id "$@")
}

new_ws big
python3 - "$WS" <<'PY'
import os
import sys

for d in range(500):
    os.mkdir(f"{sys.argv[1]}/d{d:03}")
    for f in range(100):
        with open(f"{sys.argv[1]}/d{d:03}/f{f:02}", "w") as out:
            out.write(f"{d} {f}\n")
PY
own "$WS"
in_ws git init -q -b main
in_ws git add .
in_ws git -c maintenance.auto=false -c user.name=x -c user.email=x@example.com commit -qm all
expect_run "git status" 0 -- git status --short
expect_eq "nothing changed" "" "$(cat "$OUT")"
expect_eq "all of it is in the record" true "$(record '.outcome.in_tree.files >= 50000')"
expect_run "a change in 1,000 files" 0 -- sh -c 'for d in d00?; do sed -i s/$/!/ "$d"/*; done'
expect_eq "committed" "1000 ok committed" "$(record '.outcome | "\(.changes.modified) \(.verdict) \(.settled)"')"
expect_out "git sees them" 1000 sh -c 'cd "$1" && shift && "$@" | wc -l' - "$WS" "${E2E_AS_ID[@]}" git status --short
