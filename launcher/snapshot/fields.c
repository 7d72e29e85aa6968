/* SPDX-License-Identifier: Apache-2.0 */
/* Pure. Run by airlock-cli over objects whose digest was checked; what is in them came from tools.
 */
#include "fields.h"

#include <errno.h>
#include <string.h>

#include "../base/text.h"

#define ATTR_WORD "xattr:"

bool
fields_next(const char **p, const char *end, struct field *ret)
{
	const char *space;

	if (*p >= end) {
		return false;
	}
	space = memchr(*p, ' ', (size_t)(end - *p));
	ret->p = *p;
	ret->len = (size_t)((space != NULL ? space : end) - *p);
	*p = space != NULL ? space + 1 : end;
	return ret->len > 0;
}

bool
fields_is(struct field f, const char *word)
{
	return strlen(word) == f.len && memcmp(f.p, word, f.len) == 0;
}

bool
fields_number(struct field f, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;

	if (f.len == 0 || (f.len > 1 && f.p[0] == '0')) {
		return false;
	}
	for (size_t i = 0; i < f.len; i++) {
		uint64_t digit = (uint64_t)(unsigned char)f.p[i] - '0';

		if (digit > 9 || v > (max - digit) / 10) {
			return false;
		}
		v = v * 10 + digit;
	}
	*ret = v;
	return true;
}

bool
fields_octal(struct field f, size_t digits, unsigned int *ret)
{
	unsigned int v = 0;

	for (size_t i = 0; i < f.len; i++) {
		if (f.p[i] < '0' || f.p[i] > '7') {
			return false;
		}
		v = v * 8 + (unsigned int)(f.p[i] - '0');
	}
	*ret = v;
	return f.len == digits;
}

bool
fields_digest(struct field f, uint8_t ret[SHA256_SIZE])
{
	char hex[HEX_DIGEST_SIZE];

	if (f.len != HEX_DIGEST_SIZE - 1) {
		return false;
	}
	memcpy(hex, f.p, f.len);
	hex[f.len] = '\0';
	return text_unhex(hex, ret, SHA256_SIZE) == 0;
}

int
fields_vis(struct field f, struct buf *b)
{
	auto_buf copy = BUF_INIT;
	int r;

	if (f.len == 0 || memchr(f.p, '\0', f.len) != NULL) {
		return -EBADMSG;
	}
	buf_put(&copy, f.p, f.len);
	r = buf_error(&copy);
	if (r < 0) {
		return r;
	}
	buf_reset(b);
	r = text_unvis_strict(buf_text(&copy), b);
	if (r < 0) {
		return r == -EINVAL ? -EBADMSG : r;
	}
	return memchr(b->data, '\0', b->len) != NULL ? -EBADMSG : 0;
}

int
fields_attribute(struct field f, struct buf *ret_name)
{
	const size_t word = strlen(ATTR_WORD), tail = HEX_DIGEST_SIZE; /* "=" and the digits */
	uint8_t digest[SHA256_SIZE];

	if (f.len < word + tail || memcmp(f.p, ATTR_WORD, word) != 0 || f.p[f.len - tail] != '=' ||
	    !fields_digest((struct field){ f.p + f.len - tail + 1, tail - 1 }, digest)) {
		return -EBADMSG;
	}
	return fields_vis((struct field){ f.p + word, f.len - word - tail }, ret_name);
}
