# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: credentials in and beside the toolchains that the profile gives, a variable that names what is none, to change them (own)
# property: P8
# contained: ENOENT, nothing in what is masked, EROFS; programs of the toolchains can be read
prepare() {
	as sh -c 'cd "$1" && mkdir -p .cargo/bin .cargo/git/db/x .nvm/versions/node/v20/bin .nvm/versions/node/v20/etc \
			.local/share/uv/tools/ruff/bin .local/share/uv/credentials .ssh/versions .config/pip &&
		for f in .cargo/bin/cargo .cargo/credentials.toml .cargo/config.toml .cargo/git/db/x/FETCH_HEAD .nvm/nvm.sh \
			.nvm/versions/node/v20/bin/node .nvm/versions/node/v20/etc/npmrc .npmrc .netrc .ssh/id_rsa .ssh/shims \
			.ssh/versions/key .config/pip/pip.conf .local/share/uv/tools/ruff/uv-receipt.toml \
			.local/share/uv/tools/ruff/bin/ruff .local/share/uv/credentials/credentials.toml; do
			echo "canary $f" >"$f" || exit
		done
		cd "$2" && mkdir -p candidates bin && echo canary >candidates/key' - "$READ" "$CANARY"
	BEFORE=(env HOME="$READ" PYENV_ROOT="$READ/.ssh" SDKMAN_DIR="$CANARY" GOPATH="$CANARY/../canary" RBENV_ROOT="$READ")
	# as root, HOME is what passwd says: the variables name the places
	[ "$IDENTITY" != root ] || BEFORE+=(CARGO_HOME="$READ/.cargo" NVM_DIR="$READ/.nvm" UV_TOOL_DIR="$READ/.local/share/uv/tools")
}
C=.cargo N=.nvm/versions/node/v20 U=.local/share/uv
free "read:READ/$C/bin/cargo=ok" "read:READ/$C/credentials.toml=ok" "read:READ/$C/git/db/x/FETCH_HEAD=ok" "read:READ/$N/etc/npmrc=ok" \
	"read:READ/$U/tools/ruff/uv-receipt.toml=ok" read:READ/.ssh/versions/key=ok read:CANARY/candidates/key=ok \
	"create:READ/$C/bin/new=ok" "rename:READ/$N/etc,READ/$N/moved=ok"
rehearse() {
	act read:"$READ/$C/bin/cargo" read:"$READ/$C/credentials.toml" read:"$READ/$C/git/db/x/FETCH_HEAD" read:"$READ/$N/etc/npmrc" \
		read:"$READ/$U/tools/ruff/uv-receipt.toml" read:"$READ/.ssh/versions/key" read:"$CANARY/candidates/key" \
		create:"$READ/$C/bin/new" rename:"$READ/$N/etc,$READ/$N/moved"
}
attack() {
	act read:"$READ/$C/bin/cargo" read:"$READ/$N/bin/node" read:"$READ/$U/tools/ruff/bin/ruff" \
		read:"$READ/$C/credentials.toml" read:"$READ/$C/config.toml" read:"$READ/$C/git/db/x/FETCH_HEAD" \
		read:"$READ/$N/etc/npmrc" list:"$READ/$N/etc" read:"$READ/$U/tools/ruff/uv-receipt.toml" \
		read:"$READ/$U/credentials/credentials.toml" read:"$READ/.npmrc" read:"$READ/.netrc" read:"$READ/.config/pip/pip.conf" \
		read:"$READ/.ssh/id_rsa" read:"$READ/.ssh/versions/key" read:"$CANARY/secret" read:"$CANARY/candidates/key" \
		climb:"$READ/$C/credentials.toml" handle:"$READ/$C/credentials.toml" \
		create:"$READ/$C/bin/new" write:"$READ/$C/bin/cargo" unlink:"$READ/$C/bin/cargo" chmod:"$READ/$C/bin/cargo" \
		rename:"$READ/$N/etc,$READ/$N/moved" rmdir:"$READ/$N/etc" exchange:"$READ/$N/etc,$READ/$N/bin" \
		unlink:"$READ/$U/tools/ruff/uv-receipt.toml" link:"$READ/$U/tools/ruff/uv-receipt.toml,$WORKSPACE/receipt" \
		rename:"$READ/$U/tools/ruff,$READ/$U/tools/moved" create:"$READ/$N/etc/x" read:"$READ/$C/git/db/x/FETCH_HEAD"
}
held "read:READ/$C/bin/cargo=ok" "read:READ/$N/bin/node=ok" "read:READ/$U/tools/ruff/bin/ruff=ok" \
	"read:READ/$C/credentials.toml=ENOENT" "read:READ/$C/config.toml=ENOENT" "read:READ/$C/git/db/x/FETCH_HEAD=empty" \
	"read:READ/$N/etc/npmrc=ENOENT" "list:READ/$N/etc=" "read:READ/$U/tools/ruff/uv-receipt.toml=empty" \
	"read:READ/$U/credentials/credentials.toml=ENOENT" read:READ/.npmrc=ENOENT read:READ/.netrc=ENOENT \
	read:READ/.config/pip/pip.conf=ENOENT read:READ/.ssh/id_rsa=ENOENT read:READ/.ssh/versions/key=ENOENT \
	read:CANARY/secret=ENOENT read:CANARY/candidates/key=ENOENT \
	"climb:READ/$C/credentials.toml=ENOENT" "handle:READ/$C/credentials.toml=ENOENT" \
	"create:READ/$C/bin/new=EROFS" "write:READ/$C/bin/cargo=EROFS" "unlink:READ/$C/bin/cargo=EROFS" "chmod:READ/$C/bin/cargo=EROFS" \
	"rename:READ/$N/etc,READ/$N/moved=EROFS" "rmdir:READ/$N/etc=EROFS" "exchange:READ/$N/etc,READ/$N/bin=EROFS" \
	"unlink:READ/$U/tools/ruff/uv-receipt.toml=EROFS" "link:READ/$U/tools/ruff/uv-receipt.toml,WORKSPACE/receipt=EXDEV" \
	"rename:READ/$U/tools/ruff,READ/$U/tools/moved=EROFS" "create:READ/$N/etc/x=EROFS" "read:READ/$C/git/db/x/FETCH_HEAD=empty"
attempt() {
	usual_attempt
	expect given '["cargo","nvm","uv"]' "$(jq -c .planned.toolchains "$RESULT_DIR/record")"
}
