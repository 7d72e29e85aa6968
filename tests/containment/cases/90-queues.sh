# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: POSIX and System V queues and semaphores, from one call to the next (own)
# property: P9
# contained: the second finds none: ENOENT
for_any
attempt() {
	expect_lines $'mq:/airlock,x=ok\nmq:/airlock=ok\nmq-remove:/airlock=ok\nmsg:4712,x=ok\nmsg:4712=ok
msg-remove:4712=ok\nsem:4713,x=ok\nsem:4713=ok\nsem-remove:4713=ok' "$(as "$ATTACK" mq:/airlock,x mq:/airlock mq-remove:/airlock \
		msg:4712,x msg:4712 msg-remove:4712 sem:4713,x sem:4713 sem-remove:4713)"
	launch ./attack mq:/airlock,x msg:4712,x sem:4713,x
	launch ./attack mq:/airlock msg:4712 sem:4713
	expect_held $'mq:/airlock=ENOENT\nmsg:4712=ENOENT\nsem:4713=ENOENT'
	is_airlock || as "$ATTACK" mq-remove:/airlock msg-remove:4712 sem-remove:4713 >/dev/null
}
