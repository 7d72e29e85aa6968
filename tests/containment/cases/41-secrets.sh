# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: to read what a person keeps: keys, passwords, the launcher's own state and profiles (attempt 41)
# property: P4
# contained: ENOENT, no event
for_any
also "list:$IDENTITY_HOME=" "list:$IDENTITY_HOME=.bashrc .inputrc" "open:$IDENTITY_HOME/.bashrc=ok" # of a home of its own
free read:CANARY/secret=ok open:CANARY=ok
# HOME as it is for one who gave no toolchains; 45 has them
prepare() {
	as mkdir -p "$T/state"
	as tee "$WORKSPACE/../p.yaml" >/dev/null <<-Y
		version: 1
		name: p
		extends: default
		toolchains: []
	Y
}
options -p "$T/inside/p.yaml"
rehearse() { act read:"$CANARY/secret" open:"$CANARY"; }
attack() {
	act read:"$CANARY/secret" open:"$CANARY" read:/etc/shadow read:/etc/gshadow open:/run/secrets open:/run/user \
		open:"$T/state" open:"$T/state/journal" open:/var/lib/airlock open:/etc/airlock open:/etc/ssh open:/etc/ssl/private \
		open:"$IDENTITY_HOME/.ssh" open:"$IDENTITY_HOME/.bashrc" open:"$IDENTITY_HOME/.local" list:"$IDENTITY_HOME" \
		list:/tmp/.X11-unix list:/run list:/root/.ssh open:"${AIRLOCK%/*}" list:/dev/shm climb:"$CANARY/secret" \
		open:/proc/self/root"$CANARY" open:/proc/self/cwd/../canary/secret handle:"$CANARY/secret"
}
held read:CANARY/secret=ENOENT open:CANARY=ENOENT read:/etc/shadow=ENOENT read:/etc/gshadow=ENOENT \
	open:/run/secrets=ENOENT open:/run/user=ENOENT open:TEMP/state=ENOENT open:TEMP/state/journal=ENOENT \
	open:/var/lib/airlock=ENOENT open:/etc/airlock=ENOENT open:/etc/ssh=ENOENT open:/etc/ssl/private=ENOENT \
	"open:$IDENTITY_HOME/.ssh=ENOENT" "open:$IDENTITY_HOME/.bashrc=ENOENT" "open:$IDENTITY_HOME/.local=ENOENT" \
	"list:$IDENTITY_HOME=.gitconfig" list:/tmp/.X11-unix=ENOENT list:/run= list:/root/.ssh=ENOENT "open:${AIRLOCK%/*}=ENOENT" \
	list:/dev/shm= climb:CANARY/secret=ENOENT open:/proc/self/rootCANARY=ENOENT \
	open:/proc/self/cwd/../canary/secret=ENOENT handle:CANARY/secret=ENOENT
