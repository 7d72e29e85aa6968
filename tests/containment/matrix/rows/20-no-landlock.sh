# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2317 # read by ../run
# world: Landlock gives ENOSYS; the profile default does without
contains
world()
{
	filtered landlock_create_ruleset=ENOSYS -- "$@"
}
