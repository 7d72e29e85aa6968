# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034 # read by launchers.sh
# No sandbox: the kit tried on itself. A case that has a control and holds here is blind.
LAUNCHER_LACKS="no limits"
launcher_version() { uname -sr; }
launcher_command() { CMD=("$@"); }
