#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The caller's toolchains, with stand-ins for each row of toolchains.def: a program runs by its name, its directory is
# read-only, credentials in it and beside it are not there, and no variable makes a toolchain of anything else.
# shellcheck source-path=SCRIPTDIR disable=SC2016,SC2088 # a ~ in quotes is this file's own
. "$(dirname "$0")/lib.sh"
H=$T/home
SYSTEM=/usr/local/bin:/usr/bin:/bin

# program FILE WORDS: a script that says WORDS and its directory, tries to write there, and to read its arguments.
program()
{
	mkdir -p "${1%/*}"
	cat >"$1" <<-EOS
		#!/bin/sh
		echo "$2 \${0%/*}"
		(: >"\${0%/*}/planted") 2>/dev/null && echo writable
		for f; do
			grep -s canary "\$f"
		done
		exit 0
	EOS
	chmod 755 "$1"
}

secret()
{
	local f

	for f; do
		mkdir -p "${f%/*}"
		echo canary >"$f"
	done
}

# with PATH ARG…: `airlock run ARG…` with that PATH and the variables of VARS.
VARS=()
with()
{
	local path=$1
	shift

	as_id env "${VARS[@]}" PATH="$path" "$A" run -w "$WS" "$@"
}

# row NAME ROOT BIN MARKERS SECRETS [VARIABLE]: all but ROOT relative to it; SECRETS with ~/ relative to HOME. As root,
# HOME is not ours to fill, so the variable names the place; else the standard place is found.
row()
{
	local name=$1 root=$2 bin=$3 marker file said want secrets=()

	for marker in $4; do
		mkdir -p "$root/$(dirname "$marker")"
		[ -e "$root/$marker" ] || echo "$name" >"$root/$marker"
	done
	program "$root/$bin/tool-$name" "$name"
	for file in $5; do
		case $file in
		"~/"*) file=$H/${file#"~/"} ;;
		*) file=$root/$file ;;
		esac
		secret "$file"
		secrets+=("$file")
	done
	own "$root" "$H"
	VARS=()
	if [ "$E2E_IDENTITY" = root ] && [ -z "${TOOLCHAINS_INNER:-}" ]; then
		if [ -z "${6:-}" ]; then
			skip "$name" "root's HOME is not the test's; tried in a namespace below"
			return
		fi
		VARS=("$6=$root")
	fi
	want="$name $root/$bin"
	said=$(with "$root/$bin:$SYSTEM" -- "tool-$name" "${secrets[@]}" 2>&1)
	expect_eq "$name: runs by name, read-only, without what it must not read" "$want" "$said"
	expect_eq "$name: what it must not read is there outside" "${#secrets[@]}" \
		"$(cat "${secrets[@]}" /dev/null | grep -c canary)"
	expect_eq "$name: and the record names it" true \
		"$(record ".planned.toolchains | index(\"${name%%-[0-9]*}\") != null")"
}

own_rows()
{
	row asdf "$H/.asdf" installs/nodejs/20.0.0/bin "shims/node plugins/nodejs/bin/install" \
		"installs/nodejs/20.0.0/etc/npmrc installs/nodejs/20.0.0/.npm/etc/npmrc installs/python/3.1/pip.conf installs/python/conda/.condarc installs/gradle/8/gradle.properties installs/maven/3/conf/settings.xml plugins/nodejs/.git/config ~/.asdfrc downloads/x" ASDF_DATA_DIR
	row cargo "$H/.cargo" bin "bin/cargo registry/index/x/config.json" \
		"credentials credentials.toml config.toml git/db/x/FETCH_HEAD git/db/x/config registry/index/x/.git/FETCH_HEAD" CARGO_HOME
	row conda "$H/miniconda3" envs/work/bin "conda-meta/history" \
		".condarc condarc conda-meta/state pkgs/urls.txt etc/conda/activate.d/x.sh pip.conf envs/work/pip.conf envs/work/.condarc envs/work/conda-meta/state envs/work/etc/conda/activate.d/x.sh ~/.condarc" \
		CONDA_PREFIX
	row conda-2 "$H/micromamba" bin "envs/one/conda-meta/history conda-meta/history" "condarc pip.conf" MAMBA_ROOT_PREFIX
	row fnm "$H/.local/share/fnm" node-versions/v20.0.0/installation/bin "" \
		"node-versions/v20.0.0/installation/etc/npmrc ~/.npmrc" FNM_DIR
	row go "$H/go" bin "pkg/mod/cache/download/x" "pkg/mod/cache/vcs/x/config src/private/x.go ~/.config/go/env ~/.netrc" GOPATH
	row linuxbrew "$H/.linuxbrew" bin "bin/brew" \
		"etc/npmrc etc/gitconfig var/homebrew/x Cellar/gradle/8/libexec/gradle.properties Cellar/maven/3/libexec/conf/settings.xml Cellar/python@3.12/3.12.1/pip.conf" HOMEBREW_PREFIX
	row local-bin "$H/.local/bin" . "" "~/.local/share/keyrings/x ~/.config/gh/hosts.yml ~/.ssh/id_rsa"
	row mise "$H/.local/share/mise" installs/node/20.0.0/bin "" \
		"installs/node/20.0.0/etc/npmrc installs/python/3.1/pip.conf installs/python/conda/condarc.d/x installs/gradle/8/gradle-8/init.d/x.gradle installs/maven/3/maven-3/conf/settings.xml plugins/x/.git/config ~/.config/mise/config.toml" MISE_DATA_DIR
	row nvm "$H/.nvm" versions/node/v20.0.0/bin "nvm.sh" "versions/node/v20.0.0/etc/npmrc .cache/x ~/.npmrc" NVM_DIR
	row pipx "$H/.local/share/pipx" venvs/tool/bin "" \
		"venvs/tool/pipx_metadata.json venvs/tool/pip.conf shared/pip.conf ~/.config/pip/pip.conf" PIPX_HOME
	row pyenv "$H/.pyenv" versions/3.12.0/bin "shims/python" \
		"versions/3.12.0/pip.conf versions/3.12.0/envs/x/pip.conf versions/conda/.condarc versions/conda/conda-meta/state versions/conda/etc/conda/activate.d/x.sh versions/conda/envs/e/.condarc versions/conda/envs/e/conda-meta/state versions/conda/envs/e/etc/conda/activate.d/x.sh plugins/x/.git/config ~/.pip/pip.conf" PYENV_ROOT
	row rbenv "$H/.rbenv" versions/3.3.0/bin "shims/ruby" "versions/3.3.0/etc/gemrc plugins/x/.git/config ~/.gem/credentials" RBENV_ROOT
	row rustup "$H/.rustup" toolchains/stable/bin "settings.toml" "downloads/x" RUSTUP_HOME
	row sdkman "$H/.sdkman" candidates/java/21/bin "bin/sdkman-init.sh" \
		"candidates/maven/3.9/conf/settings.xml candidates/gradle/8/init.d/x.gradle candidates/gradle/8/gradle.properties etc/config var/token ~/.m2/settings.xml" \
		SDKMAN_DIR
	row uv "$H/.local/share/uv/tools" ruff/bin "ruff/uv-receipt.toml" \
		"ruff/pip.conf black/uv-receipt.toml ~/.local/share/uv/credentials/credentials.toml" UV_TOOL_DIR
	row uv-2 "$H/.local/share/uv/python" cpython-3.12.0/bin "cpython-3.12.0/bin/python3.12" \
		"cpython-3.12.0/pip.conf" UV_PYTHON_INSTALL_DIR
	row volta "$H/.volta" bin "tools/image/node/20.0.0/bin/node" "tools/image/node/20.0.0/etc/npmrc hooks.json" VOLTA_HOME
	VARS=()
}

# A virtual environment that is not in the workspace: only its variable says so.
foreign_venv()
{
	local v=$T/venvs/work

	program "$v/bin/tool-venv" venv
	echo "home = /usr/bin" >"$v/pyvenv.cfg"
	secret "$v/pip.conf" "$v/.env"
	own "$T/venvs"
	VARS=(VIRTUAL_ENV="$v")
	expect_eq "venv: one elsewhere" "venv $v/bin" "$(with "$v/bin:$SYSTEM" -- tool-venv "$v/pip.conf" "$v/.env" 2>&1)"
	expect_out "its variable is handed in" "$v" with "$SYSTEM" -- printenv VIRTUAL_ENV
	VARS=()
}

workspace_venv()
{
	new_ws python
	program "$WS/.venv/bin/tool-venv" venv
	echo "home = /usr/bin" >"$WS/.venv/pyvenv.cfg"
	program "$WS/plain/bin/tool-plain" plain
	own "$WS"
	VARS=(VIRTUAL_ENV="$WS/.venv")
	expect_eq "venv: an activated one in the workspace" "venv $WS/.venv/bin" \
		"$(with "$SYSTEM" -- tool-venv | head -n 1)"
	expect_out "it comes first" "$WS/.venv/bin" with "$SYSTEM" -- sh -c 'echo "${PATH%%:*}"'
	VARS=()
	with "$SYSTEM" -- tool-venv >"$OUT" 2>"$ERR"
	expect_eq "one that is not activated is on no PATH" "127 airlock: tool-venv: command not found" "$? $(cat "$ERR")"
	ln -s /bin/sh "$WS/.venv/bin/shell"
	own "$WS"
	expect_out "a program of it by path has it on PATH" "$WS/.venv/bin $WS/.venv" \
		with "$SYSTEM" -- .venv/bin/shell -c 'echo "${PATH%%:*} $VIRTUAL_ENV"'
	VARS=(VIRTUAL_ENV="$WS/plain")
	with "$SYSTEM" -- tool-plain >"$OUT" 2>"$ERR"
	expect_eq "a directory without pyvenv.cfg is none" "127" "$?"
	expect_out "and its variable stays outside" "" with "$SYSTEM" -- sh -c 'echo "${VIRTUAL_ENV-}"'
	VARS=()
	new_ws
}

# What the hostile want: a directory that has everything that any row looks for, with a canary in each part.
everything()
{
	local d

	for d in aliases bin candidates envs git/db installs lib libexec node-versions/v1/installation plugins \
		pkg/mod/cache pkg/tool registry/index registry/src share shims store toolchains tools/image venvs/x versions; do
		secret "$1/$d/canary"
	done
	for d in nvm.sh settings.toml pyvenv.cfg bin/brew bin/cargo bin/sdkman-init.sh conda-meta/history x/uv-receipt.toml \
		cpython-1/bin/python3 venvs/x/pipx_metadata.json; do
		secret "$1/$d"
	done
	secret "$1/id_rsa"
}

# hostile NAME VALUE DIRECTORY: all variables with that value show nothing of the directory.
hostile()
{
	local name

	VARS=()
	while read -r name; do
		VARS+=("$name=$2")
	done < <(sed -nE 's/^PLACE\([A-Z_]+, "([A-Z_]+)",.*/\1/p' "$E2E_DIR/../../launcher/profile/toolchains.def")
	expect_eq "$1: a canary is there" canary "$(cat "$3/id_rsa")"
	expect_eq "$1: and nothing of it inside" "" \
		"$(with "$3/bin:$3/versions/x/y/bin:$SYSTEM" -- sh -c 'grep -rs canary "$1"; cat "$1/id_rsa" "$1/bin/canary" 2>/dev/null' sh "$3")"
	expect_eq "$1: no directory of it on PATH" "" \
		"$(with "$3/bin:$3/shims:$SYSTEM" -- printenv PATH | tr : '\n' | grep -F "$3")"
	expect_eq "$1: no variable handed in" "" "$(with "$SYSTEM" -- env | grep -F "=$3" | grep -vE '^(HOME|PWD|OLDPWD)=')"
	VARS=()
}

hostile_variables()
{
	local link

	H=$T/outer/home
	E2E_AS_ID+=(env HOME="$H")
	everything "$T/outer"
	everything "$H"
	everything "$H/.ssh"
	everything "$T/open"
	everything "$T/target"
	own "$T/outer" "$T/open" "$T/target"
	hostile "a place of keys" "$H/.ssh" "$H/.ssh"
	hostile "a link to one, which is not there" "$H/link" "$H/.ssh"
	ln -s .ssh "$H/link"
	own "$H"
	hostile "a link to one" "$H/link" "$H/.ssh"
	# root's HOME is what passwd says
	if [ "$E2E_IDENTITY" != root ]; then
		hostile "HOME" "$H" "$H"
		hostile "what HOME is in" "$T/outer" "$T/outer"
	fi
	chmod 777 "$T/open"
	hostile "a directory that others can write" "$T/open" "$T/open"
	chmod 755 "$T/open"
	hostile "a relative path" "open" "$T/open"
	hostile "a path with .." "$T/target/../open" "$T/open"
	if [ "$(id -u)" = 0 ] && [ "$E2E_IDENTITY" != userns ]; then
		chown -R 65533:65533 "$T/open"
		hostile "another user's" "$T/open" "$T/open"
	fi
	everything "$T/links"
	for link in aliases bin candidates envs git lib pkg installs node-versions registry shims store toolchains tools venvs versions; do
		rm -r "${T:?}/links/$link"
		ln -s "$T/target/$link" "$T/links/$link"
	done
	own "$T/links"
	hostile "links in a toolchain to what is none" "$T/links" "$T/target"
}

order()
{
	local a=$H/.local/bin b=$H/.cargo/bin

	program "$a/twice" local
	program "$b/twice" cargo
	program "$a/true" mine
	program "$a/once" local
	own "$H"
	expect_eq "of two programs with one name the caller's first runs" "local $a" "$(with "$a:$b:$SYSTEM" -- twice)"
	expect_eq "and the other way round" "cargo $b" "$(with "$b:$a:$SYSTEM" -- twice)"
	expect_eq "a name of the system's is the toolchain's where it stands before" "mine $a" "$(with "$a:$SYSTEM" -- true)"
	expect_eq "and the system's where it stands behind" "" "$(with "$SYSTEM:$a" -- true)"
	expect_eq "what the caller's PATH lacks comes last" "" "$(with "$SYSTEM" -- true)"
	expect_eq "and is found there" "local $a" "$(with "$SYSTEM" -- once)"
	expect_out "the profile's own directories keep their order" \
		"$b:/usr/local/sbin:/usr/local/bin:$a:/usr/sbin:/usr/bin:/sbin:/bin" \
		sh -c '"$@" | sed "s,:/bin:.*,:/bin,"' sh \
		"${E2E_AS_ID[@]}" env PATH="$b:/usr/local/bin:$a:/usr/bin:$T" "$A" run -w "$WS" -- printenv PATH
}

links()
{
	program "$H/.local/share/uv/tools/ruff/bin/linked" uv
	ln -sf ../share/uv/tools/ruff/bin/linked "$H/.local/bin/linked"
	program "$T/beside/linked-out" out
	ln -sf "$T/beside/linked-out" "$H/.local/bin/linked-out"
	ln -sfn v20.0.0 "$H/.nvm/versions/node/current"
	mkdir -p "$T/run"
	ln -sfn "$H/.local/share/fnm/node-versions/v20.0.0/installation" "$T/run/session"
	own "$H" "$T/beside" "$T/run"
	expect_eq "a link of ~/.local/bin into a given directory runs" "uv $H/.local/bin" "$(with "$SYSTEM" -- linked)"
	with "$H/.local/bin:$SYSTEM" -- linked-out >"$OUT" 2>"$ERR"
	expect_match "one that leads elsewhere is not followed" \
		"airlock: linked-out: the host has it at $T/beside/linked-out, but profile default does not show it: add \"$T/beside/linked-out\" to filesystem.read" "$ERR"
	expect_eq "a link between versions" "nvm $H/.nvm/versions/node/current/bin" \
		"$(with "$H/.nvm/versions/node/current/bin:$SYSTEM" -- tool-nvm)"
	expect_eq "a session's link on PATH is what it leads to" \
		"fnm $H/.local/share/fnm/node-versions/v20.0.0/installation/bin" "$(with "$T/run/session/bin:$SYSTEM" -- tool-fnm)"
	mkdir -p "$T/moved"
	mv "$H/.rbenv" "$T/moved/rbenv"
	ln -s "$T/moved/rbenv" "$H/.rbenv"
	own "$T/moved" "$H"
	expect_eq "a toolchain that is a link" "rbenv $H/.rbenv/versions/3.3.0/bin" \
		"$(with "$H/.rbenv/versions/3.3.0/bin:$SYSTEM" -- tool-rbenv "$H/.rbenv/versions/3.3.0/etc/gemrc" "$T/moved/rbenv/versions/3.3.0/etc/gemrc")"
}

profiles()
{
	mkdir -p "$T/profiles"
	printf 'version: 1\nname: none\nextends: default\ntoolchains: []\n' >"$T/profiles/none.yaml"
	printf 'version: 1\nname: one\nextends: default\ntoolchains: [cargo]\n' >"$T/profiles/one.yaml"
	own "$T/profiles"
	with "$H/.nvm/versions/node/v20.0.0/bin:$SYSTEM" -p "$T/profiles/none.yaml" -- tool-nvm >"$OUT" 2>"$ERR"
	expect_eq "without the key: the message names it" \
		"127 airlock: tool-nvm: the host has it at $H/.nvm/versions/node/v20.0.0/bin/tool-nvm, but profile none does not show it: add \"nvm\" to toolchains in $T/profiles/none.yaml, as far as its parent allows: \`toolchains: [..., \"nvm\"]\`" \
		"$? $(cat "$ERR")"
	expect_out "PATH is the profile's" "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" \
		with "$H/.cargo/bin:$SYSTEM" -p "$T/profiles/none.yaml" -- printenv PATH
	expect_out "and the record says none" "[]" record '.planned.toolchains | tojson'
	expect_eq "a profile with one of them" "cargo $H/.cargo/bin" \
		"$(with "$H/.cargo/bin:$SYSTEM" -p "$T/profiles/one.yaml" -- tool-cargo)"
	expect_out "and no other" '["cargo"]' record '.planned.toolchains | tojson'
	as_id "$A" show @last >"$OUT" 2>&1
	expect_match "show says so" "cargo: what the host has of them could be read and run" "$OUT"
	with "$SYSTEM" -p "$T/profiles/one.yaml" --dry-run -- true >"$OUT" 2>"$ERR"
	expect_match "--dry-run names the toolchain" "toolchain cargo ($H/.cargo)" "$OUT"
	# alone, or, where no mount lies below its top directory, as one of a layer's
	check "and its rows" grep -qE "^(tree +$H/.cargo/registry|[a-z]+ +$H/.cargo/registry <- [^ ]+)\$" "$OUT"
	expect_match "and what is masked" "mask-file $H/.cargo/git/db/x/FETCH_HEAD" "$OUT"
	expect_no_match "and nothing else" "$H/.nvm" "$OUT"
}

# ---- in a mount namespace of root's: fixed places, HOME of root, mounts inside toolchains ------------------------------

fixed_places()
{
	program /nix/store/abc-env/bin/tool-nix nix
	mkdir -p /nix/var/nix/profiles /nix/var/nix/db
	secret /nix/var/nix/db/x
	chmod 1775 /nix/store
	chgrp 65532 /nix/store
	ln -s /nix/store/abc-env /nix/var/nix/profiles/default-1-link
	ln -s default-1-link /nix/var/nix/profiles/default
	ln -s /nix/var/nix/profiles/default "$H/.nix-profile"
	expect_eq "nix: by the user's profile" "nix /nix/store/abc-env/bin" \
		"$(with "$H/.nix-profile/bin:$SYSTEM" -- tool-nix /nix/var/nix/db/x)"
	expect_eq "nix: by the default profile, which no PATH names" "nix /nix/var/nix/profiles/default/bin" \
		"$(with "$SYSTEM" -- tool-nix /nix/var/nix/db/x)"
	row linuxbrew /home/linuxbrew/.linuxbrew bin "bin/brew" "etc/npmrc var/homebrew/x"
	row go /usr/local/go bin "pkg/tool/x VERSION" ""
	row conda /opt/conda envs/x/bin "conda-meta/history" "envs/x/pip.conf"
}

mounts_inside()
{
	local v=$H/.nvm/versions/node

	mkdir -p "$v/v21.0.0"
	mount -t tmpfs -o mode=755 none "$v/v21.0.0"
	program "$v/v21.0.0/bin/node21" mounted
	secret "$v/v21.0.0/etc/npmrc"
	own "$H"
	expect_eq "a version that is a mount" "mounted $v/v21.0.0/bin" \
		"$(with "$v/v21.0.0/bin:$SYSTEM" -- node21 "$v/v21.0.0/etc/npmrc" "$v/v20.0.0/etc/npmrc")"
	expect_eq "and one beside it" "nvm $v/v20.0.0/bin" \
		"$(with "$v/v20.0.0/bin:$SYSTEM" -- tool-nvm "$v/v21.0.0/etc/npmrc" "$v/v20.0.0/etc/npmrc")"
	mkdir -p "$H/.volta"
	mount -t tmpfs -o mode=755 none "$H/.volta"
	row volta "$H/.volta" bin "tools/image/node/20.0.0/bin/node" "tools/image/node/20.0.0/etc/npmrc"
}

inner()
{
	if [ "$E2E_IDENTITY" = root ]; then
		mount --bind "$H" "$E2E_HOME"
		H=$E2E_HOME
		row local-bin "$H/.local/bin" . "" "~/.ssh/id_rsa"
		row cargo "$H/.cargo" bin "bin/cargo" "credentials.toml"
	fi
	row nvm "$H/.nvm" versions/node/v20.0.0/bin "nvm.sh" "versions/node/v20.0.0/etc/npmrc"
	fixed_places
	mounts_inside
	if [ "$E2E_IDENTITY" = root ]; then
		chmod 700 "$H"
		expect_eq "as root, what others may not reach is not given" "127" \
			"$(with "$H/.cargo/bin:$SYSTEM" -- tool-cargo >/dev/null 2>&1; echo $?)"
	fi
}

# A root directory of our own with /nix in it, and nothing of the host's changed.
namespace()
{
	local new=$T/root

	mkdir -p "$new"
	TOOLCHAINS_INNER=1 unshare -m --propagation private bash -c '
		set -eu
		new=$1
		mount -t tmpfs none "$new"
		for d in /*; do
			if [ -L "$d" ]; then
				cp -P "$d" "$new$d"
			elif [ -d "$d" ]; then
				mkdir "$new$d"
				mount --rbind "$d" "$new$d"
			fi
		done
		mkdir "$new/nix"
		mount -t tmpfs none "$new/home"
		mount -t tmpfs none "$new/usr/local"
		mount -t tmpfs none "$new/opt"
		cd "$new"
		pivot_root . .
		umount -l .
		cd /
		exec bash "$2"' - "$new" "$0"
}

if [ -n "${TOOLCHAINS_INNER:-}" ]; then
	inner
	exit 0
fi
own_rows
foreign_venv
workspace_venv
if [ "$E2E_IDENTITY" != root ]; then
	order
	links
	profiles
fi
hostile_variables
if [ "$(id -u)" = 0 ]; then
	namespace
else
	skip "fixed places and mounts" "only root can make a mount namespace with its own /nix"
fi
