# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154,SC2016
#
# Sourced by job.sh. The overlay of this kernel with its upper directory on disk: what a call commits is what
# the same commands leave natively, also where overlayfs needs whiteouts and opaque directories.

lower_tree()
{
	mkdir -p opaque/sub gone olddir/sub keep/sub keep/other empty twice
	echo 1 >opaque/1 && echo 2 >opaque/sub/2
	echo 3 >gone/3
	echo 4 >olddir/sub/4
	echo 5 >keep/sub/5 && echo 6 >keep/other/6
	echo 7 >twice/7
	echo file >file
	echo over >over
	echo mode >mode && chmod 755 mode
	echo long >long
	echo appended >appended
	ln -s file link
	mkdir dir-to-file && echo 8 >dir-to-file/8
	echo 9 >file-to-dir
	echo kept >kept
}

change_tree()
{
	set -e
	rm -r opaque && mkdir opaque && echo new >opaque/new
	rm -r gone
	mv file file2
	mv kept over
	chmod 600 mode
	echo x >long
	echo more >>appended
	ln -sfn file2 link
	rm -r dir-to-file && echo now >dir-to-file
	rm file-to-dir && mkdir file-to-dir && echo in >file-to-dir/in
	mkdir born && echo b >born/b && mv born renamed
	mv olddir moved
	rm -r keep/sub && mkdir keep/sub && echo z >keep/sub/z
	rmdir empty
	rm -r twice && mkdir twice && echo 1 >twice/1
	rm -r twice && mkdir twice && echo 2 >twice/2
	mkdir -p deep/er && ln -s ../kept deep/er/up
}

# Names, types, modes, links, contents, and extended attributes that should not be there.
tree_listing()
{
	find . -mindepth 1 -printf '%P %y %m %l\n' | sort
	find . -type f -print0 | sort -z | xargs -0 md5sum
	# shellcheck disable=SC2016
	find . -print0 | xargs -0 perl -e 'for (@ARGV) {
		my ($path, $names) = ($_, "\0" x 256);
		my $n = syscall(195, $path, $names, 256);
		print "$path has attributes\n" if $n > 0;
	}'
}

overlay_as_native()
{
	local who=$1 home native
	home=$(eval echo "~$who")
	native=$home/native

	new_ws "$native" "$who"
	new_ws "$home/ws" "$who"
	for dir in "$native" "$home/ws"; do
		"as_$who" bash -c "cd $dir; $(declare -f lower_tree); lower_tree"
	done
	"as_$who" bash -c "cd $native; $(declare -f change_tree); change_tree"
	said "$who" "$airlock" run -w "$home/ws" -- bash -c "$(declare -f change_tree); change_tree"
	expect_said 0 "" ""
	expect_eq "record" "$(record "$who" '.outcome | [.verdict, .settled, .reason]')" \
		'["ok","committed",null]'
	expect_eq "tree" "$(cd "$home/ws" && tree_listing)" "$(cd "$native" && tree_listing)"
	expect_eq "owners" "$(find "$home/ws" ! -user "$who")" ""
	# The comparison can fail: a lower tree is not what is left of it.
	expect_eq "lines" "$(cd "$home/ws" && tree_listing | grep -c '^opaque')" 2
	rm -r "$native"
	expect_no_traces
}

# The same through a draft of two calls: the second sees the first, both are applied, both are taken back.
draft_as_native()
{
	local who=$1 home native before
	home=$(eval echo "~$who")
	native=$home/native

	new_ws "$native" "$who"
	new_ws "$home/ws" "$who"
	for dir in "$native" "$home/ws"; do
		"as_$who" bash -c "cd $dir; $(declare -f lower_tree); lower_tree"
	done
	before=$(cd "$home/ws" && tree_listing)
	"as_$who" bash -c "cd $native; $(declare -f change_tree); change_tree; rm -r moved; echo again >>appended"
	said "$who" "$airlock" run -m propose -w "$home/ws" -- bash -c "$(declare -f change_tree); change_tree"
	expect_said 0 "" ""
	said "$who" "$airlock" run -m propose -w "$home/ws" -- bash -c "rm -r moved; echo again >>appended"
	expect_said 0 "" ""
	expect_eq "record" "$(record "$who" '.outcome | [.verdict, .settled, .held_as]')" '["ok","held","draft"]'
	expect_eq "not yet" "$(cd "$home/ws" && tree_listing)" "$before"
	said "$who" "$airlock" apply --workflow "$(record "$who" .planned.workflow | tr -d '"')"
	expect_eq "applied" "$rc" 0
	expect_eq "tree" "$(cd "$home/ws" && tree_listing)" "$(cd "$native" && tree_listing)"
	expect_eq "owners" "$(find "$home/ws" ! -user "$who")" ""
	said "$who" "$airlock" undo --workflow "$(record "$who" .planned.workflow | tr -d '"')"
	expect_eq "undone" "$rc" 0
	expect_eq "tree before" "$(cd "$home/ws" && tree_listing)" "$before"
	rm -r "$native"
	expect_no_traces
}

# The tool sees what it did while it does it, too.
overlay_seen_from_inside()
{
	new_ws /home/dev/ws dev
	as_dev bash -c "cd ws; $(declare -f lower_tree); lower_tree"
	said dev "$airlock" run -w /home/dev/ws -- bash -c '
		rm -r opaque; ls opaque 2>&1; mkdir opaque; ls opaque; echo "listed $?"
		perl -e "print rename(\"olddir\", \"x\") ? 0 : \$! + 0, qq(\n)"
		mkdir born; perl -e "print rename(\"born\", \"x\") ? 0 : \$! + 0, qq(\n)"
		false'
	expect_eq "exit code, stdout" "$rc|$out" \
		"1|ls: cannot access 'opaque': No such file or directory
listed 0
18
0"
	expect_eq "record" "$(record dev '.outcome | [.verdict, .settled]')" '["failed","held"]'
	expect_eq "not committed" "$(ls /home/dev/ws/opaque)" "1
sub"
	expect_no_traces
}

upper_file()
{
	find "$1/.local/state/airlock/scratch" -path '*/upper/f' -size 1 | grep .
}

# Where the changes are while a call runs, and whose.
upper_on_disk()
{
	local who=$1 uid=$2 home dir
	home=$(eval echo "~$who")
	dir=$(mktemp -d)

	new_ws "$home/ws" "$who"
	mkfifo "$dir/go"
	exec 9<>"$dir/go"
	"as_$who" "$airlock" run -w "$home/ws" -- sh -c 'echo x >f; read -r word' <&9 &
	poll 60 upper_file "$home"
	expect_eq "owner of the upper's file" "$(stat -c '%u %s' "$(upper_file "$home")")" "$uid 2"
	expect_eq "modes" "$(stat -c %a "$home/.local/state/airlock/scratch" \
		"$home"/.local/state/airlock/scratch/* | paste -sd' ')" "700 700"
	expect_eq "workspace meanwhile" "$(ls "$home/ws")" ""
	echo go >&9
	wait
	exec 9>&-
	rm -r "$dir"
	expect_eq "committed" "$(cd "$home/ws" && stat -c '%n %U' -- *)" "f $who"
	expect_no_traces
}

case_run overlay-as-native-root overlay_as_native root
case_run overlay-as-native-user overlay_as_native dev
case_run draft-as-native-root draft_as_native root
case_run draft-as-native-user draft_as_native dev
case_run overlay-seen-from-inside overlay_seen_from_inside
# A kernel whose tmpfs keeps the marks of an overlay has the upper in memory.
if [ "$want_tmpfs_xattr" != 0 ]; then
	case_run upper-on-disk-root upper_on_disk root 2147000000
	case_run upper-on-disk-user upper_on_disk dev 1000
fi
