# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
#
# Sourced by job.sh. Attacks of tests/containment that meet another kernel, an upper on disk or cgroup v2 here: each as dev,
# and as root what root has groups and mounts for. A fork costs fifty times what it does on the host: not all of them.

attacked()
{
	local identity=$1 name=$2

	HOME=/root AIRLOCK=$airlock AIRLOCK_TEST_USER=dev /job/tests/containment/run -i "$identity" "$name"
}

for name in 12-stray 21-namespaces 22-mounts 25-io-uring 26-families 34-cgroup 37-privileges 39-pid1 44-read-path \
	51-hard-links 69-processes 72-survivors 75-limits-up 81-overlay 92-exchange 97-left-behind; do
	case_run "contained-$name-dev" attacked plain "$name"
done
for name in 22-mounts 34-cgroup 69-processes 91-shared-device; do
	case_run "contained-$name-root" attacked root "$name"
done
