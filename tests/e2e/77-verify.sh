#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# identities: root plain
# The signed log: keys, receipts, and that every single change of what lies in a state directory is found and named.
# shellcheck source-path=SCRIPTDIR disable=SC2016
. "$(dirname "$0")/lib.sh"

# ---- a store with everything in it ---------------------------------------------------------------
expect_verb "a key before the first call" 0 key new --origin test.example/verify
first_key=$(cat "$OUT")
expect_match "and it has the name" "test.example/verify+" "$OUT"
expect_verb "a log that has not begun is not closed" 1 key close
expect_match "which it says" "there is no log to close" "$ERR"
expect_verb "there is one key per log" 1 key new
expect_match "a second one is refused" "this log has a key" "$ERR"
expect_eq "the private key is the owner's alone" "600" "$(stat -c %a "$AIRLOCK_STATE/log.key")"
# a change of its own each, and output that is too long to stand in the record
for i in 1 2 3 4; do
	run_airlock -- sh -c "head -c 9000 /dev/zero | tr '\\0' $i; echo $i >file-$i"
done
expect_verb "rotated" 0 key rotate
last_key=$(cat "$OUT")
expect_verb "which the new key has signed at once" 0 verify --store "$AIRLOCK_STATE" --key "$last_key"
expect_verb "and the old one leads to" 0 verify --store "$AIRLOCK_STATE" --key "$first_key"
run_airlock -- sh -c 'echo last; echo six >file-6'
expect_verb "key show brings the log up to date" 0 key show --json
# five calls, profile.load, log.open, key.rotate
expect_eq "and all is signed" "13" "$(jq .size "$OUT")"
expect_eq "by the last key" "$last_key" "$(jq -r .vkey "$OUT")"
expect_eq "no call waits for the log: the outcome of the last one is its last entry" "call.outcome" \
	"$(as_id "$A" receipt @last | sed -n 's/^extra //p' | base64 -d | jq -r .type)"

# ---- receipts ------------------------------------------------------------------------------------
as_id "$A" receipt @last >"$T/receipt" 2>"$ERR"
expect_eq "a receipt is a tlog-proof" "c2sp.org/tlog-proof@v1" "$(head -n 1 "$T/receipt")"
expect_verb "it is verified with the key" 0 verify "$T/receipt" --key "$last_key"
expect_match "and says of what" "ok: entry 12 of 13 in the log test.example/verify" "$OUT"
expect_verb "the old key did not sign it" 1 verify "$T/receipt" --key "$first_key"
sed 's/^index 12/index 11/' "$T/receipt" >"$T/receipt.bad"
expect_verb "another index is refused" 1 verify "$T/receipt.bad" --key "$last_key"
sed '4{s/^A/B/;t;s/^./A/}' "$T/receipt" >"$T/receipt.bad"
expect_verb "another hash is refused" 1 verify "$T/receipt.bad" --key "$last_key"
sed "2s/.*/extra $(printf '{"call":"x"}' | base64)/" "$T/receipt" >"$T/receipt.bad"
expect_verb "another entry is refused" 1 verify "$T/receipt.bad" --key "$last_key"
expect_verb "no key, no answer" 125 verify "$T/receipt"

as_id mkdir "$T/to"
as_id sh -c 'echo mine >"$1/receipt.new"; mkfifo "$1/fifo"; ln -s receipt "$1/link"' - "$T/to"
expect_verb "a receipt into a file" 0 receipt @last --to "$T/to/receipt"
expect_verb "which is one" 0 verify "$T/to/receipt" --key "$last_key"
expect_eq "nothing beside it was touched" "mine" "$(cat "$T/to/receipt.new" 2>&1)"
as_id timeout 20 cat "$T/to/fifo" >"$T/from-fifo" &
reader=$!
expect_verb "into a FIFO" 0 receipt @last --to "$T/to/fifo"
wait "$reader"
expect_eq "it comes out of it" "$(cat "$T/to/receipt")" "$(cat "$T/from-fifo")"
expect_verb "not through a link" 1 receipt @last --to "$T/to/link"
expect_match "which it says" "link: Too many levels of symbolic links" "$ERR"
expect_eq "all is what it was" "fifo link receipt receipt.new" "$(find "$T/to" -mindepth 1 -printf '%f\n' | sort | paste -sd ' ')"

expect_run "a call with its receipt" 3 --receipt "$T/receipt.run" -- sh -c 'exit 3'
own "$T/receipt.run"
expect_verb "which is of that call" 0 verify "$T/receipt.run" --key "$last_key" --json
expect_eq "and of its outcome" "$(record .call) call.outcome" "$(jq -r '.entry' "$OUT" | jq -r '"\(.call) \(.type)"')"
expect_run "a receipt that cannot be written is no call" 125 --receipt "$T/none/receipt" -- true
as_id mv "$AIRLOCK_STATE/log.db" "$T/log.db.kept"
expect_run "a call whose receipt cannot be had" 125 --receipt "$T/receipt.run" -- true
expect_match "says so" "no receipt: " "$ERR"
expect_eq "and is recorded as it ended" "ok" "$(record .outcome.verdict 2>/dev/null)"
as_id mv "$T/log.db.kept" "$AIRLOCK_STATE/log.db"
expect_verb "and signed when it can be again" 0 key show
calls=7 entries=17

# ---- the whole store -----------------------------------------------------------------------------
expect_verb "the store verifies with the last key" 0 verify --store "$AIRLOCK_STATE" --key "$last_key"
expect_match "everything in it" "ok: $entries entries, $calls calls" "$OUT"
as_id sh -c 'cd "$1" && "$2" verify --store . --key "$3"' - "$AIRLOCK_STATE" "$A" "$last_key" >"$OUT" 2>"$ERR"
expect_eq "as a relative path, too" "ok: $entries entries" "$(tail -n 1 "$OUT" | cut -d , -f 1)"
expect_verb "and with the first, through the rotation" 0 verify --store "$AIRLOCK_STATE" --key "$first_key"
as_id env AIRLOCK_STATE="$T/other" "$A" key new --origin test.example/verify >"$T/other.key" 2>/dev/null
expect_verb "not with another key of the same name" 1 verify --store "$AIRLOCK_STATE" --key "@$T/other.key"
expect_match "which says so" "is not signed by the key that was given" "$OUT"

# ---- one change at a time -------------------------------------------------------------------------
# A quiet store: nobody takes anything in while it is copied.
as_id "$LOG" --wait
as_id sqlite3 "$AIRLOCK_STATE/index.db" 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null
BAD=$T/bad

# What a crash in the middle of a write to log.db leaves is nobody's doing.
as_id cp -a "$AIRLOCK_STATE" "$BAD"
as_id sqlite3 "$BAD/log.db" 'PRAGMA synchronous = OFF' 'BEGIN IMMEDIATE' 'UPDATE latest SET size = size + 1' \
	".system cp $BAD/log.db-journal $BAD/kept" 'ROLLBACK' >/dev/null
as_id mv "$BAD/kept" "$BAD/log.db-journal"
expect_verb "a crash in the middle of log.db" 0 verify --store "$BAD" --key "$last_key"
expect_match "is told" "note  log.db: was being written when a crash came" "$OUT"
AIRLOCK_STATE=$BAD expect_verb "who signs next takes it back" 0 key show
expect_verb "and it is compared again" 0 verify --store "$BAD" --key "$last_key"
expect_no_match "nothing is left to be told" "being written" "$OUT"

# A copy is somebody's: what lies there as a FIFO is no file, and is not waited for.
for name in log/checkpoint log/vkey log.db index.db journal/0001.log "log/tile/0/000.p/$entries" \
	"log/tile/entries/000.p/$entries" 'wf/*/pack-*' 'wf/*/have'; do
	rm -rf "$BAD"
	as_id cp -a "$AIRLOCK_STATE" "$BAD"
	path=$(find "$BAD" -path "$BAD/$name" | sort | head -n 1)
	as_id sh -c 'rm "$1" && mkfifo "$1"' - "$path"
	as_id timeout 20 "$A" verify --store "$BAD" --key "$last_key" >"$OUT" 2>"$ERR"
	RC=$?
	case $RC in
	1 | 125) ok "a FIFO in the place of $name is wrong" ;;
	*) not_ok "a FIFO in the place of $name is wrong" "exit $RC: $(head -c 300 "$OUT" "$ERR")" ;;
	esac
done

# edit PERL: over the payloads of the journal in @e (each a string); what it leaves there is written, with right lengths and crcs.
edit()
{
	as_id perl -e '
		my @table = map { my $c = $_; $c = $c & 1 ? 0xedb88320 ^ ($c >> 1) : $c >> 1 for 1 .. 8; $c } 0 .. 255;
		sub crc { my $c = 0xffffffff; $c = $table[($c ^ $_) & 255] ^ ($c >> 8) for unpack "C*", $_[0]; $c ^ 0xffffffff }
		open my $in, "<:raw", $ARGV[0] or die; local $/; my $all = <$in>; my ($at, @e) = 0;
		while ($at + 8 <= length $all) {
			my $len = unpack "V", substr $all, $at, 4;
			push @e, substr $all, $at + 8, $len;
			$at += 8 + $len;
		}
		eval $ARGV[1]; die $@ if $@;
		open my $out, ">:raw", $ARGV[0] or die;
		print $out pack("VV", length, crc($_)), $_ for @e;' "$BAD/journal/0001.log" "$1"
}

# flip FILE OFFSET: one bit.
flip()
{
	as_id perl -e 'open my $f, "+<:raw", $ARGV[0] or die; seek $f, $ARGV[1], 0; read $f, my $c, 1;
		seek $f, $ARGV[1], 0; print $f chr(ord($c) ^ 4)' "$1" "$2"
}

# found NAME WANT CMD…: CMD changes the copy $BAD; verify says that it is wrong, and where.
found()
{
	local name=$1 want=$2
	shift 2

	rm -rf "$BAD"
	as_id cp -a "$AIRLOCK_STATE" "$BAD"
	"$@" || not_ok "$name" "the change failed"
	as_id "$A" verify --store "$BAD" --key "$first_key" >"$OUT" 2>"$ERR"
	RC=$?
	if [ "$RC" = 1 ] && grep -E '^WRONG ' "$OUT" | grep -qE -- "$want"; then
		ok "found: $name"
	else
		not_ok "found: $name" "wanted exit 1 and '$want', got $RC: $(head -c 1500 "$OUT" "$ERR")"
	fi
}

bad_pack()
{
	find "$BAD/wf" -name 'pack-*' -size +8k | sort | sed -n "${1:-1}p"
}

rm -rf "$BAD"
as_id cp -a "$AIRLOCK_STATE" "$BAD"
expect_verb "the copy as it is verifies" 0 verify --store "$BAD" --key "$first_key"

found "a bit of an entry" 'journal/0001.log at byte [0-9]+: no whole entry' flip "$BAD/journal/0001.log" 300
found "which entry that was" 'entry 0: is signed, and the journal does not have it' flip "$BAD/journal/0001.log" 300
found "an entry that was changed" 'at byte [0-9]+: an entry \(call.planned of call .*\) that was not signed' \
	edit '$e[1] =~ s/"seq":1/"seq":7/ or die'
found "an entry that was removed" 'entry 1: is signed, and the journal does not have it: .*call.planned' edit 'splice @e, 1, 2'
found "an entry that was added" 'an entry \(call.planned of call .*\) that was not signed' \
	edit 'my $n = $e[1]; my ($c) = $n =~ /"call":"([^"]*)"/; my $d = substr($c, 0, 35) . ($c =~ /0$/ ? 1 : 0); $n =~ s/$c/$d/g; splice @e, 3, 0, $n'
found "two entries that were swapped" 'entry [0-9]+' edit '@e[3,5] = @e[5,3]'
found "a journal that was cut" "entry $((entries - 1)): is signed, and the journal does not have it: .*call.outcome" edit 'pop @e'
found "and log.at says so as well" 'log.at: is behind the journal' edit 'pop @e'

found "a bit of an object" 'pack-.*: the object has another digest than its name' eval 'flip "$(bad_pack)" 200'
found "a bit of an object'\''s header" 'pack-.*: no header of an object' eval 'flip "$(bad_pack)" 20'
found "an object that was cut" 'pack-.*: the end of an object is missing' eval 'as_id truncate -s -8 "$(bad_pack)"'
found "an object that was added" 'objects of call .*: [0-9]+ are stored, and the record says [0-9]+' \
	eval 'as_id sh -c "cat \"\$1\" >>\"\$2\"" - "$(bad_pack 2)" "$(bad_pack)"'
found "a pack that was removed" 'objects of call .*: 0 are stored, and the record says' eval 'as_id rm "$(bad_pack)"'
found "packs that were swapped" 'objects of call .*: (are not those|[0-9]+ are stored, and the record says)' \
	eval 'a=$(bad_pack 1) b=$(bad_pack 2); as_id mv "$a" "$BAD/x"; as_id mv "$b" "$a"; as_id mv "$BAD/x" "$b"'
found "a pack of no call" 'is of a call that no entry is of' \
	eval 'as_id cp "$(bad_pack)" "$(dirname "$(bad_pack)")/pack-01a20000-0000-7000-8000-000000000000-01.alp"'

tile=tile/0/000.p/$entries
found "a bit of a tile" 'log/checkpoint: the tiles have another root' flip "$BAD/log/$tile" 40
found "a bit of an entry in the tiles" "log/tile/entries/000.p/$entries " flip "$BAD/log/tile/entries/000.p/$entries" 50
found "a tile that was removed" "log/$tile" as_id rm "$BAD/log/$tile"
found "a tile that was cut" "log/$tile" as_id truncate -s -32 "$BAD/log/$tile"
found "a tile that was added" 'log/tile/0/junk: is no tile' as_id cp "$BAD/log/$tile" "$BAD/log/tile/0/junk"
found "an older tile that was changed" 'log/tile/0/000.p/1 .*differs from the tile of another size' \
	eval 'as_id head -c 32 /dev/zero >"$T/zero"; as_id cp "$T/zero" "$BAD/log/tile/0/000.p/1"'

found "a size in the checkpoint" 'log/checkpoint: the signature is wrong' as_id sed -i "2s/.*/11/" "$BAD/log/checkpoint"
found "a bit of the signature" 'log/checkpoint: ' as_id sed -i '$s/....$/AAA=/' "$BAD/log/checkpoint"
found "the public key" 'log/vkey: is not the key' as_id cp "$T/other.key" "$BAD/log/vkey"
found "what was signed last" 'log.db: another root was signed for the same size' \
	as_id sqlite3 "$BAD/log.db" "UPDATE latest SET root = zeroblob(32)"
found "what was signed last, removed" 'log.db: cannot be read' as_id rm "$BAD/log.db"
found "the position" 'log.at: is missing, or no position' as_id sh -c "echo 1 x >$BAD/log.at"

found "a row that was changed" "index.db, table call, row 1 .*: is in index.db and not in the journal" \
	as_id sqlite3 "$BAD/index.db" "UPDATE call SET verdict = 'failed' WHERE n = 1"
found "a row that was removed" "index.db, table entry, row 3 .*: is in the journal and not in index.db" \
	as_id sqlite3 "$BAD/index.db" "DELETE FROM entry WHERE n = 3"
found "a row that was added" "index.db, table denial, row .*: is in index.db and not in the journal" \
	as_id sqlite3 "$BAD/index.db" "INSERT INTO denial VALUES ('x', 0, 'syscall', 'y', NULL, NULL, 1)"
found "an index that is damaged" 'index.db: ' eval 'flip "$BAD/index.db" 8200; flip "$BAD/index.db" 4100; flip "$BAD/index.db" 4101'

# ---- nothing forks the log ------------------------------------------------------------------------
# An older journal under a newer log: a restored backup.
rm -rf "$BAD"
as_id cp -a "$AIRLOCK_STATE" "$BAD"
edit 'pop @e; pop @e'
as_id env AIRLOCK_STATE="$BAD" "$A" run -w "$WS" -- true >"$OUT" 2>"$ERR"
expect_eq "a journal behind its log: no call" "125" "$?"
expect_match "with the reason" "the journal ends before what its log has signed" "$ERR"
before=$(as_id sha256sum "$BAD/log/checkpoint")
as_id rm "$BAD/log.at"
as_id "$LOG" --state "$BAD" --wait 2>"$ERR"
expect_eq "nor is it signed" "1" "$?"
expect_match "the log knows it by itself" "signed over $entries entries and the journal has $((entries - 2))" "$ERR"
expect_eq "the checkpoint stays" "$before" "$(as_id sha256sum "$BAD/log/checkpoint")"
as_id env AIRLOCK_STATE="$BAD" "$A" log >"$OUT" 2>"$ERR"
expect_match "and whoever reads is told" "the log is not signed any more" "$ERR"

# All of an older directory but what was signed last.
rm -rf "$BAD"
as_id cp -a "$AIRLOCK_STATE" "$BAD"
run_airlock -- true
as_id "$LOG" --wait
as_id cp "$AIRLOCK_STATE/log.db" "$BAD/log.db"
as_id "$A" verify --store "$BAD" --key "$first_key" >"$OUT" 2>"$ERR"
expect_eq "an older log under a newer log.db" "1" "$?"
expect_match "is told" "log/checkpoint: is over $entries entries; one over $((entries + 2)) was signed after it" "$OUT"

# ---- the key as a credential -----------------------------------------------------------------------
# As systemd delivers it: a directory that only the service reads. The state directory has no private key then.
as_id mkdir -m 700 "$T/credentials"
as_id env AIRLOCK_STATE="$T/donor" "$A" key new --origin test.example/credential >"$T/credential.vkey" 2>/dev/null
as_id mv "$T/donor/log.key" "$T/credentials/airlock-log-key"
export AIRLOCK_STATE=$T/state-credential CREDENTIALS_DIRECTORY=$T/credentials
run_airlock -- true
expect_verb "a credential signs" 0 key show --json
expect_eq "with its name" "test.example/credential $T/credentials/airlock-log-key" "$(jq -r '"\(.origin) \(.private_key)"' "$OUT")"
expect_rc "no key is made beside it" 1 as_id test -e "$AIRLOCK_STATE/log.key"
expect_verb "it cannot be replaced where it is" 1 key rotate
expect_match "with what to do" "--next FILE" "$ERR"
as_id env -u CREDENTIALS_DIRECTORY AIRLOCK_STATE="$T/donor2" "$A" key new --origin test.example/credential >"$T/next.vkey" 2>/dev/null
expect_verb "but by another that is named" 0 key rotate --next "$T/donor2/log.key"
expect_verb "which the log still verifies with" 0 verify --store "$AIRLOCK_STATE" --key "@$T/credential.vkey"
expect_verb "until that one is delivered nothing is signed" 1 key show
expect_match "and it is said" "the key that is here is another" "$ERR"
as_id cp "$T/donor2/log.key" "$T/credentials/airlock-log-key"
expect_verb "then it is" 0 key show
expect_verb "all under the first key" 0 verify --store "$AIRLOCK_STATE" --key "@$T/credential.vkey"
as_id chmod 640 "$T/credentials/airlock-log-key"
expect_verb "a key that others can read is none" 1 key show
expect_match "which is said" "can be read by others (mode 0640)" "$ERR"

# ---- the end of a log ------------------------------------------------------------------------------
as_id chmod 600 "$T/credentials/airlock-log-key"
expect_run "a change that waits" 0 -m propose -- sh -c 'echo x >waits'
expect_verb "a log with something held is not closed" 1 key close
expect_match "which is named" "is held: apply or discard it first" "$ERR"
expect_verb "discarded" 0 discard @last
expect_verb "closed" 0 key close --reason "the host is retired"
expect_run "no call is added" 125 -- true
expect_match "and it is said" "its log was closed (airlock key close)" "$ERR"
expect_verb "nor is anything settled" 1 undo @last
expect_verb "it verifies as before" 0 verify --store "$AIRLOCK_STATE" --key "@$T/credential.vkey"
expect_match "which says that it is closed" "log.at: the log was closed" "$OUT"
expect_eq "with the reason as its last entry" "log.close the host is retired" \
	"$(rows "SELECT type || ' ' || reason FROM event ORDER BY n DESC LIMIT 1")"
expect_verb "and can be read" 0 log
