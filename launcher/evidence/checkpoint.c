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
#include "note_text.h"

void
checkpoint_print(const struct checkpoint *c, struct buf *out)
{
	buf_printf(out, "%s\n%llu\n", c->origin, (unsigned long long)c->size);
	text_base64(out, c->root, sizeof(c->root));
	buf_putc(out, '\n');
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

int
checkpoint_read(const char *bytes, size_t len, struct note *ret_note, struct checkpoint *ret,
		struct err *err)
{
	int r = note_parse(bytes, len, ret_note, err);

	return r == 0 ? checkpoint_parse(ret_note->text, ret_note->text_len, ret, err) : r;
}
