#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Everything that a workspace may contain: what real programs do to it natively and through a draft that is applied gives
# the same tree, and undo gives the one before. 100,000 files: 71-big-repository.sh; random trees: tests/property.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"

# tree DIR: every entry with type, mode, size of files, target, content, attributes. git's index is not the same twice.
tree()
{
	sh -c '
		cd "$1" || exit
		find . -mindepth 1 \( -type f -printf "%P %y%m %s\0" -o -printf "%P %y%m %l\0" \) | LC_ALL=C sort -z | sha256sum
		find . -type f -readable ! -path "./repo/.git/index" -print0 | LC_ALL=C sort -z | xargs -0r sha256sum | sha256sum
		find . -type f -readable -print0 | LC_ALL=C sort -z | xargs -0r getfattr -d -m "^user\\." -- 2>/dev/null | sha256sum' sh "$1"
}

dates='export GIT_AUTHOR_DATE=2000-01-01T00:00:00Z GIT_COMMITTER_DATE=2000-01-01T00:00:00Z;'
start='
	git init -q -b main repo && cd repo
	git config user.email a@example.com && git config user.name A
	for i in 1 2 3 4 5; do echo $i >f$i; git add .; git commit -qm $i; git tag t$i; done
	git gc -q && cd ..
	mkdir -p node_modules/.bin node_modules/a/lib node_modules/b/node_modules/c
	for i in $(seq 200); do echo "exports = $i" >node_modules/a/lib/$i.js; done
	ln -s ../a/lib/1.js node_modules/.bin/a
	python3 -c "
import sqlite3
db = sqlite3.connect(\"data.db\")
db.execute(\"create table t(a)\")
db.executemany(\"insert into t values(?)\", [(i,) for i in range(1000)])
db.commit()"
	ln -s loop-b loop-a; ln -s loop-a loop-b; ln -s . self
	mkdir -m 755 empty; mkdir ro && echo x >ro/in && chmod 444 ro/in && chmod 555 ro
	mkdir shut && echo x >shut/in && chmod 000 shut
	echo x >secret && chmod 000 secret
	echo one >linked && ln linked linked-too
	printf "odd\n" >"$(printf "new\nline")"; printf "raw\n" >"$(printf "raw\377byte")"; : >"back\\slash"; : >" "
	echo plain >noted && setfattr -n user.note -v old noted'

change='
	cd repo && git checkout -q -b work && echo more >>f1 && git commit -qam work && git tag -d t1 >/dev/null &&
		git pack-refs --all && git rebase -q main && git branch -q -d main && cd ..
	rm -r node_modules/b && mkdir -p node_modules/d && mv node_modules/a/lib/1.js node_modules/d/ && ln -sf ../d/1.js node_modules/.bin/a
	rm -r node_modules/a
	python3 -c "
import sqlite3
db = sqlite3.connect(\"data.db\")
db.execute(\"delete from t where a % 2\")
db.commit()
db.execute(\"vacuum\")"
	rm loop-a && ln -s self loop-a
	rmdir empty && echo file >empty; chmod 755 ro && rm -r ro && mkdir -m 555 ro
	mv "$(printf "new\nline")" "$(printf "other\nline")"; rm "$(printf "raw\377byte")"; echo now >"back\\slash"
	setfattr -n user.note -v new noted; setfattr -n user.more -v 1 noted; chmod 640 noted
	python3 -c "
import os
os.mkdir(\"deep\"); os.chdir(\"deep\")
for i in range(200):
    os.mkdir(\"d\"); os.chdir(\"d\")
open(\"bottom\", \"w\").write(\"reached\")"
	rm f2d 2>/dev/null; echo was >f2d; rm f2d; mkdir f2d; rmdir f2d; echo is >f2d'

new_ws native
native=$WS
as_id sh -c "cd '$native' && $dates $start" >/dev/null
new_ws ws
cp -a "$native/." "$WS/"
before=$(tree "$WS")
expect_eq "control: two trees to begin with are one" "$(tree "$native")" "$before"
as_id env -C "$native" sh -c "$dates $change" >/dev/null
expect_run "through a draft" 0 -m propose -- sh -c "$dates $change"
expect_eq "through a draft: not yet" "$before" "$(tree "$WS")"
expect_verb "applied" 0 apply @last
expect_eq "applied: as natively" "$(tree "$native")" "$(tree "$WS")"
expect_out "applied: git says that it is whole" "" as_id git -c safe.directory='*' -C "$WS/repo" fsck --no-dangling --no-progress
expect_out "applied: the database too" "ok 500" as_id python3 -c "
import sqlite3
db = sqlite3.connect('$WS/data.db')
print(db.execute('pragma integrity_check').fetchone()[0], db.execute('select count(*) from t').fetchone()[0])"
expect_out "applied: the deepest file" reached as_id python3 -c "
import os
os.chdir('$WS/deep')
for i in range(200):
    os.chdir('d')
print(open('bottom').read())"
expect_verb "undone" 0 undo @last
expect_eq "undone: as before" "$before" "$(tree "$WS")"

# ---- what an overlay does otherwise -------------------------------------------------------------------
expect_run "a directory cannot be renamed" 0 -- sh -c 'mkdir born && mv born reborn && python3 -c "
import os
try:
    os.rename(\"repo\", \"elsewhere\")
except OSError as e:
    print(e.errno)"'
expect_eq "a directory cannot be renamed: EXDEV" 18 "$(cat "$OUT")"
check "one that the call made can" test -d "$WS/reborn"
expect_run "one of two hard links is written" 0 -- sh -c 'echo two >>linked'
expect_eq "one of two hard links is written: it comes apart" "one two one" "$(as_id cat "$WS/linked" "$WS/linked-too" | paste -sd' ')"
expect_eq "one of two hard links is written: and that is recorded" 1 "$(record .outcome.changes.links_broken)"
# ---- what its owner may not read ------------------------------------------------------------------------
# Root reads it all the same; for a plain user it can be replaced, and neither compared nor given back.
as_id chmod 000 "$WS/shut" "$WS/secret"
if [ "$E2E_IDENTITY" = plain ]; then
	expect_run "in a directory that is closed to its owner" 123 -- sh -c 'chmod 700 shut && rm shut/in && chmod 000 shut'
	expect_match "in a directory that is closed to its owner: held" "shut/in: Permission denied" "$ERR"
	expect_run "in a directory that is closed to its owner: observe" 0 -m observe -- sh -c 'chmod 700 shut && rm shut/in && chmod 000 shut'
	expect_eq "in a directory that is closed to its owner: observe: discarded" discarded "$(record .outcome.settled)"
	expect_run "a file that is closed to its owner" 0 -- chmod 600 secret
	expect_verb "a file that is closed to its owner: not given back" 1 undo @last
	expect_match "a file that is closed to its owner: which" "  secret" "$ERR"
else
	expect_run "in a directory that is closed to others" 0 -- sh -c 'chmod 700 shut && rm shut/in && echo y >shut/more && chmod 000 shut'
	expect_verb "in a directory that is closed to others: undone" 0 undo @last
	expect_eq "in a directory that is closed to others: content" "x in" "$(cat "$WS/shut/in") $(ls "$WS/shut")"
fi
