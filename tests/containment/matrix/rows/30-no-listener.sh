# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2317 # read by ../run
# world: somebody outside holds the one listener of user notification
refuses "a supervisor outside holds the one seccomp listener"
# 1000 is no call: what is heard of nobody makes
world()
{
	filtered 1000=NOTIFY -- "$@"
}
