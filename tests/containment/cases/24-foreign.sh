# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: the same kernel through i386 and x32 numbers, and a number of the future (attempt 24)
# property: P14
# contained: killed by SIGSYS; ENOSYS for what is unknown
for_any
not_here() { [ "$(uname -m)" = x86_64 ] || echo "not an x86-64 machine"; }
free i386-getpid=ok i386-socketcall=EINVAL i386-mount=EFAULT # both without arguments
attack() { act foreign; }
held i386-getpid=killed-31 i386-socketcall=killed-31 i386-mount=killed-31 x32-socket=killed-31 x32-mount=killed-31 \
	unknown-499=ENOSYS
