# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2317 # read by ../run
# world: new user namespaces give EPERM
refuses "user namespaces are forbidden here (EPERM)"
identities root plain
# clone3's flags are in memory, where no filter sees them: what forbids namespaces forbids all of it
world()
{
	filtered clone3=EPERM 'clone@0&0x10000000=EPERM' 'unshare@0&0x10000000=EPERM' -- "$@"
}
