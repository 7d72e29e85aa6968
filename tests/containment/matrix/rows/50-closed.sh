# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2317 # read by ../run
# world: airlock starts with 0, 1 and 2 closed
contains
setting WORLD_CLOSED=1
