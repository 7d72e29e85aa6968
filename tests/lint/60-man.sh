#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Manual pages are clean mdoc, and do not break at the right margin.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "$0")/lib.sh"

for page in docs/*.[1-9]; do
	[ -f "$page" ] || continue
	if ! command -v mandoc >/dev/null; then
		skip "man/$(basename "$page")" "mandoc is not installed"
		continue
	fi
	{
		mandoc -T lint -W warning "$page" 2>&1
		head -n 1 "$page" | grep -q 'SPDX-License-Identifier: Apache-2.0' || echo "no licence in the first line"
		grep -nP '[^\x00-\x7f]' "$page" | sed 's/^/not ASCII: /'
	} | verdict "man/$(basename "$page")"
done
