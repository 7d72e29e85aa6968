#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The shipped profile tar-unzip, with the real programs: round trips, and archives that mean harm.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"
# shellcheck source=SCRIPTDIR/shipped.sh
. "$(dirname "$0")/shipped.sh"

need tar zip unzip gzip bzip2 xz python3
make_canary

# What a directory holds: type, mode, name, link, content's digest.
tree()
{
	(cd "$1" && find . -mindepth 1 -printf '%y%m %P %l\n' | LC_ALL=C sort -k2 && find . -type f -exec sha256sum {} + | LC_ALL=C sort -k2)
}

umask 022
mkdir -p "$WS/data/sub dir"
printf 'one\n' >"$WS/data/a.txt"
head -c 100000 /dev/urandom >"$WS/data/sub dir/random"
printf '#!/bin/sh\n' >"$WS/data/run.sh"
chmod 755 "$WS/data/run.sh"
ln -s a.txt "$WS/data/link"
: >"$WS/data/empty"
chmod 600 "$WS/data/empty"
own "$WS"
before=$(tree "$WS/data")

# ---- round trips ---------------------------------------------------------------------------------
for kind in tar:-cf:-xf tar.gz:-czf:-xzf tar.bz2:-cjf:-xjf tar.xz:-cJf:-xJf; do
	IFS=: read -r name pack unpack <<<"$kind"
	expect_run "$name: pack" 0 -p tar-unzip -- tar "$pack" "out.$name" data
	expect_eq "$name: committed" "ok committed 1 0 0 0" "$(settled)"
	expect_run "$name: list" 0 -p tar-unzip -- tar -tf "out.$name"
	expect_eq "$name: the list" 7 "$(wc -l <"$OUT")"
	mkdir "$WS/$name.d"
	own "$WS"
	expect_run "$name: unpack" 0 -p tar-unzip -- tar "$unpack" "out.$name" -C "$name.d"
	expect_eq "$name: the same tree" "$before" "$(tree "$WS/$name.d/data")"
	expect_eq "$name: its owner" "$(stat -c %u:%g "$WS")" "$(find "$WS/$name.d/data" -printf '%U:%G\n' | sort -u)"
done
expect_run "zip: pack" 0 -p tar-unzip -- zip -qry out.zip data
expect_run "zip: list" 0 -p tar-unzip -- unzip -Z1 out.zip
expect_eq "zip: the list" 7 "$(wc -l <"$OUT")"
expect_run "zip: unpack" 0 -p tar-unzip -- unzip -q out.zip -d zip.d
expect_eq "zip: the same tree" "$before" "$(tree "$WS/zip.d/data")"
for tool in gzip bzip2 xz; do
	expect_run "$tool: pack, in place of the file" 0 -p tar-unzip -- $tool 'data/sub dir/random'
	expect_eq "$tool: settled" "ok committed 1 0 1 0" "$(settled)"
	expect_run "$tool: unpack" 0 -p tar-unzip -- $tool -d "data/sub dir/random.$(sed 's/gzip/gz/; s/bzip2/bz2/' <<<$tool)"
	expect_eq "$tool: the same tree" "$before" "$(tree "$WS/data")"
done
expect_run "gunzip, a script" 0 -p tar-unzip -- gunzip --version
expect_run "tar: to standard output" 0 -p tar-unzip -- tar -cf - data/a.txt
expect_eq "tar: which is one" "data/a.txt" "$(tar -tf "$OUT")"

# ---- archives that mean harm: made outside, where each does what it is for -----------------------
new_ws harm
python3 - "$WS" "$CANARY" <<'PY'
import io, sys, tarfile, zipfile

ws, canary = sys.argv[1:]

def archive(name, *members):
    with tarfile.open(f"{ws}/{name}.tar", "w") as tar:
        for path, body, change in members:
            info = tarfile.TarInfo(path)
            info.size = len(body or b"")
            info.mode = 0o755
            for key, value in change.items():
                setattr(info, key, value)
            tar.addfile(info, io.BytesIO(body) if body else None)

link = {"type": tarfile.SYMTYPE}
archive("absolute", (canary, b"overwritten\n", {}))
archive("through", ("way", None, link | {"linkname": canary.rpartition("/")[0]}), ("way/" + canary.rpartition("/")[2], b"overwritten\n", {}))
archive("hook", ("src/x.c", b"int x;\n", {}), (".git/hooks/post-checkout", b"#!/bin/sh\n", {}))
archive("outward", ("readme", b"r\n", {}), ("passwd", None, link | {"linkname": "/etc/passwd"}))
archive("setuid", ("tool", b"#!/bin/sh\n", {"mode": 0o4755}))
with zipfile.ZipFile(f"{ws}/up.zip", "w") as z:
    z.writestr("../" * 12 + canary.lstrip("/"), "overwritten\n")
PY
own "$WS"
before=$(tree "$WS")

# HOME inside is a private one, where the path can be written and is gone with the call
expect_run "an absolute path, -P" 0 -p tar-unzip -- tar -xPf absolute.tar
expect_eq "an absolute path: the file in HOME is as it was" "$CANARY_TEXT" "$(cat "$CANARY")"
run_airlock -p tar-unzip -- tar -xPf through.tar
expect_eq "through a link: the file in HOME is as it was" "$CANARY_TEXT" "$(cat "$CANARY")"
expect_eq "through a link: nothing in the workspace either" "$before" "$(tree "$WS")"
run_airlock -p tar-unzip -- unzip -: -q -o up.zip
expect_eq "upwards: the file in HOME is as it was" "$CANARY_TEXT" "$(cat "$CANARY")"
expect_run "a git hook" 123 -p tar-unzip -- tar -xf hook.tar
expect_match "a git hook: why" ".git/hooks/post-checkout is held for a person: built-in: .git/hooks: git runs these" "$ERR"
expect_run "a link out of the workspace" 123 -p tar-unzip -- tar -xf outward.tar
expect_match "a link out of the workspace: why" "link out of the workspace" "$ERR"
expect_run "a setuid bit" 123 -p tar-unzip -- tar -xpf setuid.tar
expect_match "a setuid bit: why" "setuid bit" "$ERR"
expect_eq "nothing of all that is in the workspace" "$before" "$(tree "$WS")"
outside tar -xPf absolute.tar
expect_eq "positive control: outside, the absolute path is written" "overwritten" "$(cat "$CANARY")"
echo "$CANARY_TEXT" >"$CANARY"
outside unzip -: -q -o up.zip
expect_eq "positive control: outside, upwards is written" "overwritten" "$(cat "$CANARY")"
echo "$CANARY_TEXT" >"$CANARY"

# a small archive of a large file; the profile's own limit would take seconds to fill
new_ws bomb
head -c 64M /dev/zero | gzip -1 >"$WS/bomb.gz"
echo small >"$WS/small"
own "$WS"
expect_run "a bomb" 1 -p tar-unzip --limit disk=16MiB -- gzip -dk bomb.gz
expect_match "a bomb: why" "No space left on device" "$ERR"
expect_eq "a bomb: nothing is there" "bomb.gz small" "$(ls "$WS" | tr '\n' ' ' | sed 's/ $//')"

expect_only tar-unzip sh -c 'tar -cf x.tar .'
expect_denied tar-unzip "a file in HOME" 2 "Cannot stat: No such file or directory" tar -cPf - "$CANARY"
expect_denied tar-unzip "a shell's way to HOME" 0 "$CANARY: No such file or directory" \
	tar -cf /dev/null --checkpoint=1 --checkpoint-action="exec=cat $CANARY" small

# ---- what a site wants of all of them ---------------------------------------------------------------
cp -r "$(dirname "$A")/../profiles" "$T/site"
mkdir "$T/site/tool.yaml.d"
printf 'environment: { set: { SITE: ours } }\n' >"$T/site/tool.yaml.d/site.yaml"
chmod -R go-w "$T/site"
own "$T/site"
as_id env AIRLOCK_PROFILES="$T/site" "$A" run -w "$WS" -p tar-unzip -- \
	tar -cf /dev/null --checkpoint=1 --checkpoint-action='exec=echo $SITE' small >"$OUT" 2>&1
expect_eq "a drop-in of tool.yaml holds for tar-unzip" "ours" "$(cat "$OUT")"
