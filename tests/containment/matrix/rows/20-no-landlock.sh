# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2317 # read by ../run
# world: Landlock gives ENOSYS; the profile default does without
contains
# without its scope a signal to PID 1 is taken, and ignored as the kernel does for it
instead signal:1,9=ok signal:1,19=ok signal:1,0=ok pidfd-kill:1=ok
world()
{
	filtered landlock_create_ruleset=ENOSYS -- "$@"
}
