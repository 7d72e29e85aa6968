/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs in airlock-log, airlock-cli and airlock-witness. The text is from anybody until it was
 * checked.
 */
#include "note.h"

#include <errno.h>
#include <string.h>

#include "../base/text.h"
#include "note_internal.h"

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
note_hash(const char *text, size_t len, uint8_t ret_hash[SHA256_SIZE])
{
	char base64[HASH_BASE64 + 1];
	auto_buf bytes = BUF_INIT;
	int r;

	if (len != HASH_BASE64) {
		return -EINVAL;
	}
	memcpy(base64, text, len);
	base64[len] = '\0';
	r = text_unbase64(base64, &bytes);
	if (r < 0 || bytes.len != SHA256_SIZE) {
		return r == -ENOMEM ? r : -EINVAL;
	}
	memcpy(ret_hash, bytes.data, SHA256_SIZE);
	return 0;
}

void
checkpoint_print(const struct checkpoint *c, struct buf *out)
{
	buf_printf(out, "%s\n%llu\n", c->origin, (unsigned long long)c->size);
	text_base64(out, c->root, sizeof(c->root));
	buf_putc(out, '\n');
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

int
checkpoint_parse(const char *text, size_t len, struct checkpoint *ret, struct err *err)
{
	const char *end = text + len, *line;
	struct checkpoint c = { .origin = "" };
	size_t n;

	line = note_line(&text, end, &n);
	if (line == NULL || !note_name_is_good(line, n)) {
		return err_set(err, -EBADMSG,
			       "not a checkpoint: the first line is not a log's name");
	}
	memcpy(c.origin, line, n);
	c.origin[n] = '\0';
	line = note_line(&text, end, &n);
	if (line == NULL || note_number(line, n, &c.size) < 0) {
		return err_set(err, -EBADMSG, "not a checkpoint: the second line is not a size");
	}
	line = note_line(&text, end, &n);
	if (line == NULL || note_hash(line, n, c.root) < 0) {
		return err_set(err, -EBADMSG,
			       "not a checkpoint: the third line is not a hash in base64");
	}
	if (text != end) {
		return err_set(err, -EBADMSG,
			       "not a checkpoint of airlock: it has more than three lines");
	}
	*ret = c;
	return 0;
}
