/* SPDX-License-Identifier: Apache-2.0 */
/* Runs in whoever reads a log, over text from anybody. */
#include "note_text.h"

#include <errno.h>
#include <string.h>

#include "../base/text.h"

#define HASH_BASE64 44u /* digits of 32 bytes */

int
note_number(const char *text, size_t len, uint64_t *ret)
{
	uint64_t n = 0;

	if (len == 0 || (text[0] == '0' && len > 1)) {
		return -EINVAL;
	}
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9' || __builtin_mul_overflow(n, UINT64_C(10), &n) ||
		    __builtin_add_overflow(n, (uint64_t)(text[i] - '0'), &n)) {
			return -EINVAL;
		}
	}
	*ret = n;
	return 0;
}

int
note_base64(const char *text, size_t len, struct buf *out)
{
	auto_free char *copy = strndup(text, len);

	if (copy == NULL) {
		return -ENOMEM;
	}
	return strlen(copy) == len ? text_unbase64(copy, out) : -EINVAL;
}

int
note_hash(const char *text, size_t len, uint8_t ret_hash[SHA256_SIZE])
{
	auto_buf bytes = BUF_INIT;
	int r = len == HASH_BASE64 ? note_base64(text, len, &bytes) : -EINVAL;

	if (r < 0 || bytes.len != SHA256_SIZE) {
		return r == -ENOMEM ? r : -EINVAL;
	}
	memcpy(ret_hash, bytes.data, SHA256_SIZE);
	return 0;
}

const char *
note_line(const char **text, const char *end, size_t *ret_len)
{
	const char *line = *text;
	const char *newline = memchr(line, '\n', (size_t)(end - line));

	if (newline == NULL) {
		return NULL;
	}
	*ret_len = (size_t)(newline - line);
	*text = newline + 1;
	return line;
}

bool
note_reader_next(struct note_reader *r)
{
	r->line = note_line(&r->at, r->end, &r->len);
	r->number++;
	return r->line != NULL;
}

bool
note_reader_takes(struct note_reader *r, const char *word)
{
	size_t len = strlen(word);

	if (r->line == NULL || r->len <= len || memcmp(r->line, word, len) != 0) {
		return false;
	}
	r->line += len;
	r->len -= len;
	return true;
}

int
note_reader_bad(const struct note_reader *r, const char *why)
{
	return err_set(r->err, -EBADMSG, "%sline %u %s", r->text, r->number, why);
}

int
note_reader_proof(struct note_reader *r, struct merkle_proof *ret)
{
	for (;;) {
		if (!note_reader_next(r)) {
			return note_reader_bad(
				r, "is missing: an empty line stands before the checkpoint");
		}
		if (r->len == 0) {
			return 0;
		}
		if (ret->count == MERKLE_PROOF_MAX) {
			return note_reader_bad(r, "is the 64th hash: no proof has more than 63");
		}
		if (note_hash(r->line, r->len, ret->hash[ret->count]) < 0) {
			return note_reader_bad(r, "is neither a hash in base64 nor empty");
		}
		ret->count++;
	}
}

void
note_put_proof(const struct merkle_proof *proof, struct buf *out)
{
	for (size_t i = 0; i < proof->count; i++) {
		text_base64(out, proof->hash[i], SHA256_SIZE);
		buf_putc(out, '\n');
	}
	buf_putc(out, '\n');
}
