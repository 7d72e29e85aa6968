#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# docs/workflow.md does what it says: a workflow from its making to its end, with a machine that dies in the middle, a
# gateway that sends everything again, a budget that ends, and a check at the end.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

home=$(mktemp -d /tmp/h-XXXX) || exit 1
trap 'rm -rf "$home"' EXIT
chmod 755 "$home"
own "$home"
as_id env PATH="$(dirname "$A"):/usr/local/bin:/usr/bin:/bin" HOME="$home" COLUMNS=100 \
	python3 -u "$E2E_DIR/page.py" "$E2E_DIR/../../docs/workflow.md" -- bash --norc
