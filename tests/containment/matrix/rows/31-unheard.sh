# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2153,SC2154,SC2317 # read by ../run
# world: the same, and every profile lists notify in allow_degraded
contains
setting WORLD_UNHEARD=1
without 29-many-kinds it_counts_events
without 66-write-path its_profile_is_its_own
without 67-poisoned-cache its_profile_is_its_own
without 71-time it_counts_events
without 88-missing-layers it_brings_a_listener_of_its_own
# 1000 is no call: what is heard of nobody makes
world()
{
	local tree=$base/unheard

	if [ ! -d "$tree" ]; then
		cp -rp "$TREE" "$tree" && sed -i 's/^allow_degraded: \[cgroup, landlock\]$/allow_degraded: [cgroup, landlock, notify]/' \
			"$tree"/profiles/*.yaml || return
	fi
	filtered 1000=NOTIFY -- env AIRLOCK="$tree/build/airlock" "$@"
}
