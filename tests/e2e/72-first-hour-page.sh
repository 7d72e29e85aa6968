#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# docs/first-hour.md does what it says: its console blocks, run in their order in one shell.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

# A stand-in for what nvm installs: the version that is on PATH where a developer uses it.
node=$T/nvm/versions/node/v18.20.0/bin
mkdir -p "$node"
echo '# nvm' >"$T/nvm/nvm.sh"
cp "$(realpath /usr/bin/node)" "$node/node"
own "$T/nvm"

# The page's `~` is a home of its own; git and python3 want nothing from the caller's.
as_id env PATH="$(dirname "$A"):$node:/usr/local/bin:/usr/bin:/bin" HOME="$T/home" NVM_DIR="$T/nvm" COLUMNS=80 \
	python3 -u "$E2E_DIR/page.py" "$E2E_DIR/../../docs/first-hour.md" -- bash --norc
