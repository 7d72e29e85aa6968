# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2317 # read by ../run
# world: a container of docker, as it is by default
refuses "docker run --security-opt seccomp=airlock-seccomp.json --security-opt systempaths=unconfined"
identities root plain
not_here()
{
	no_containers dockerd
}
world()
{
	docker_run -- "$@"
}
