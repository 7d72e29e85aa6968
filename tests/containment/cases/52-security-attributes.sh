# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: attributes that give a program power, or that the kernel or the launcher trusts, on a file of the workspace (own)
# property: P12
# contained: none can be set but user.*
control_in root
free setxattr:attack,trusted.x,1=ok setxattr:attack,user.x,1=ok
rehearse() { act setxattr:attack,trusted.x,1 setxattr:attack,user.x,1; }
prepare() { as touch "$WORKSPACE/plain"; }
attack() {
	act setxattr:attack,trusted.x,1 setxattr:attack,security.capability,1 \
		setxattr:attack,security.ima,1 setxattr:attack,trusted.overlay.opaque,y setxattr:attack,system.posix_acl_access,1 \
		setxattr:attack,user.x,1
}
held setxattr:attack,trusted.x,1=EPERM setxattr:attack,security.capability,1=EINVAL \
	setxattr:attack,security.ima,1=EPERM setxattr:attack,trusted.overlay.opaque,y=EPERM \
	setxattr:attack,system.posix_acl_access,1=EINVAL setxattr:attack,user.x,1=ok
