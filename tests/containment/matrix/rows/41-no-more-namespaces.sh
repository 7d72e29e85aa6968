# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2317 # read by ../run
# world: user.max_user_namespaces is 0, in a user namespace of its own
refuses "no further user namespace is allowed here"
identities plain
world()
{
	as_somebody unshare -U --map-user="$SOMEBODY" --map-group="$SOMEBODY" --keep-caps sh -c '
		echo 0 >/proc/sys/user/max_user_namespaces || exit 125
		exec setpriv --ambient-caps=-all --inh-caps=-all "$@"' sh "$@"
}
