/* SPDX-License-Identifier: Apache-2.0 */
/* Run by the front, over what the process of its lease says. Pure. */
#include <errno.h>
#include <string.h>

#include "../base/text.h"
#include "credd_protocol.h"

int
credd_hear(const uint8_t *message, size_t len, enum credd_message want, struct err *err)
{
	if (len > 1 && (message[0] == CREDD_REFUSED || message[0] == CREDD_FAILED)) {
		struct rd r = { .p = message + 1, .left = len - 1 };
		const char *why = rd_str(&r);

		return r.bad || why[0] == '\0'
			     ? err_set(err, -EPROTO,
				       "the lease's process has failed, and not said why")
			     : err_set(err, -EACCES, "%s", why);
	}
	if (len < 1 || message[0] != want) {
		return err_set(err, -EPROTO, "the lease's process has %s",
			       len == 0 ? "died" : "said what it does not say");
	}
	return 0;
}

int
credd_hear_facts(struct rd *r, size_t count, struct credd_fact ret[])
{
	for (size_t i = 0; i < count; i++) {
		ret[i].fingerprint = rd_bytes(r, LEASE_FINGERPRINT_SIZE);
		ret[i].expires_ms = rd_u64(r);
		ret[i].call = rd_str(r);
		if (r->bad || strlen(ret[i].call) >= UUID_TEXT_SIZE) {
			return -EPROTO;
		}
	}
	return 0;
}

int
credd_hear_values(const void *memory, size_t size, size_t count, struct credd_value ret[])
{
	struct rd r = { .p = memory, .left = size };

	for (size_t i = 0; i < count; i++) {
		uint32_t len = rd_u32(&r);

		ret[i] = (struct credd_value){ .bytes = rd_bytes(&r, len), .len = len };
		if (r.bad || len == 0) {
			return -EPROTO;
		}
	}
	return 0;
}
