# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2317 # read by ../run
# world: the same; the profile strict allows no layer to be missing
refuses "layer landlock is missing here and profile strict"
setting WORLD_OPTIONS="-p strict"
# a plain user has no cgroup on every machine, which strict asks for first
identities root
world()
{
	filtered landlock_create_ruleset=ENOSYS -- "$@"
}
