# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2317 # read by ../run
# world: openat2 gives ENOSYS
refuses "openat2 is not there (ENOSYS)"
world()
{
	filtered openat2=ENOSYS -- "$@"
}
