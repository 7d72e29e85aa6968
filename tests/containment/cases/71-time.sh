# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: to run for ever: spinning, sleeping, stopped, flooding the launcher with denied calls; deaf to SIGTERM (attempt 71)
# property: P7
# contained: timeout at limits.wall, exit 124
without_control "without a sandbox it would run for ever"
options --limit wall=1s -m observe
attempt() {
	local how start took
	for how in spin sleep stop flood; do
		start=$(date +%s%N)
		launch ./attack $how
		took=$((($(date +%s%N) - start) / 1000000))
		expect "$how exit" 124 "$RC"
		expect "$how verdict" timeout "$(record .outcome.verdict)"
		if [ $took -lt 900 ] || [ $took -gt 3000 ]; then
			fail "$how took $took ms"
		fi
	done
	expect "flood is counted" true "$(record '.outcome.denials[0] | .what == "pivot_root" and .count > 100')"
}
