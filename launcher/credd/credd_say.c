/* SPDX-License-Identifier: Apache-2.0 */
/* Run by airlock-cli and airlock-credd. */
#include "../base/buf.h"
#include "../sys/sys.h"
#include "credd_protocol.h"

void
credd_say(enum credd_message what, const char *text)
{
	auto_buf message = BUF_INIT;

	buf_u8(&message, (uint8_t)what);
	if (text != NULL) {
		buf_str(&message, text);
	}
	ignore_err(sys_send_message(CREDD_FD_SOCKET, message.data, message.len, NULL, 0),
		   "then the front is gone");
}
