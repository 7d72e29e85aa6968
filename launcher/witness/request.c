/* SPDX-License-Identifier: Apache-2.0 */
/* Runs in airlock-witness, over what anybody sent. */
#include "request.h"

#include <errno.h>
#include <string.h>

#include "../evidence/note_text.h"

static int
bad_line(struct err *err, unsigned int number, const char *why)
{
	return err_set(err, -EBADMSG, "line %u %s", number, why);
}

/* "old N" */
static int
read_old(const char *line, size_t len, uint64_t *ret)
{
	static const char word[] = "old ";

	return len < strlen(word) || memcmp(line, word, strlen(word)) != 0
		     ? -EBADMSG
		     : note_number(line + strlen(word), len - strlen(word), ret);
}

int
witness_request_parse(const char *body, size_t len, struct witness_request *ret, struct err *err)
{
	const char *at = body, *end = body + len, *line;
	struct witness_request req = { .old_size = 0 };
	unsigned int number = 1;
	size_t n;

	line = note_line(&at, end, &n);
	if (line == NULL || read_old(line, n, &req.old_size) < 0) {
		return bad_line(err, number, "is not \"old \" and a size");
	}
	for (;;) {
		line = note_line(&at, end, &n);
		number++;
		if (line == NULL) {
			return bad_line(err, number,
					"is missing: an empty line stands before the checkpoint");
		}
		if (n == 0) {
			break;
		}
		if (req.proof.count == MERKLE_PROOF_MAX) {
			return bad_line(err, number, "is the 64th hash: no proof has more than 63");
		}
		if (note_hash(line, n, req.proof.hash[req.proof.count]) < 0) {
			return bad_line(err, number, "is neither a hash in base64 nor empty");
		}
		req.proof.count++;
	}
	req.checkpoint = at;
	req.checkpoint_len = (size_t)(end - at);
	*ret = req;
	return 0;
}
