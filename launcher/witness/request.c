/* SPDX-License-Identifier: Apache-2.0 */
/* Runs in airlock-witness, over what anybody sent. */
#include "request.h"

#include "../evidence/note_text.h"

int
witness_request_parse(const char *body, size_t len, struct witness_request *ret, struct err *err)
{
	struct note_reader r = { .at = body, .end = body + len, .text = "", .err = err };
	struct witness_request req = { .old_size = 0 };
	int result;

	if (!note_reader_next(&r) || !note_reader_takes(&r, "old ") ||
	    note_number(r.line, r.len, &req.old_size) < 0) {
		return note_reader_bad(&r, "is not \"old \" and a size");
	}
	result = note_reader_proof(&r, &req.proof);
	if (result < 0) {
		return result;
	}
	req.checkpoint = r.at;
	req.checkpoint_len = (size_t)(r.end - r.at);
	*ret = req;
	return 0;
}
