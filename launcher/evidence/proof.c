/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs in airlock-log, which prints receipts, and in airlock-cli, which reads anybody's. What is
 * read says nothing before tlog_proof_check.
 */
#include "proof.h"

#include <errno.h>
#include <string.h>

#include "../base/text.h"
#include "note_text.h"

#define FIRST_LINE "c2sp.org/tlog-proof@v1"

void
tlog_proof_finish(struct tlog_proof *p)
{
	buf_finish(&p->extra);
	buf_finish(&p->checkpoint);
}

void
tlog_proof_print(const struct tlog_proof *p, struct buf *out)
{
	buf_puts(out, FIRST_LINE "\n");
	if (p->extra.len > 0) {
		buf_puts(out, "extra ");
		text_base64(out, p->extra.data, p->extra.len);
		buf_putc(out, '\n');
	}
	buf_printf(out, "index %llu\n", (unsigned long long)p->index);
	note_put_proof(&p->inclusion, out);
	buf_put(out, p->checkpoint.data, p->checkpoint.len);
}

static int
read_extra(const struct note_reader *r, struct buf *ret)
{
	int result = note_base64(r->line, r->len, ret);

	if (result == -ENOMEM) {
		return err_sys(r->err, result, "reading a receipt");
	}
	return result < 0 ? note_reader_bad(r, "is not base64 behind \"extra\"") : 0;
}

static int
read_proof(struct note_reader *r, struct tlog_proof *ret)
{
	int result;

	if (!note_reader_next(r) || r->len != strlen(FIRST_LINE) ||
	    memcmp(r->line, FIRST_LINE, r->len) != 0) {
		return note_reader_bad(r, "is not \"" FIRST_LINE "\"");
	}
	if (note_reader_next(r) && note_reader_takes(r, "extra ")) {
		result = read_extra(r, &ret->extra);
		if (result < 0) {
			return result;
		}
		note_reader_next(r);
	}
	if (!note_reader_takes(r, "index ") || note_number(r->line, r->len, &ret->index) < 0) {
		return note_reader_bad(r, "is not \"index \" and a number");
	}
	result = note_reader_proof(r, &ret->inclusion);
	if (result < 0) {
		return result;
	}
	buf_put(&ret->checkpoint, r->at, (size_t)(r->end - r->at));
	return buf_error(&ret->checkpoint) < 0 ? err_sys(r->err, -ENOMEM, "reading a receipt") : 0;
}

int
tlog_proof_parse(const char *text, size_t len, struct tlog_proof *ret, struct err *err)
{
	struct note_reader r = {
		.at = text, .end = text + len, .text = "not a receipt (.tlog-proof): ", .err = err
	};
	int result;

	if (len > TLOG_PROOF_MAX) {
		return err_set(err, -EBADMSG,
			       "not a receipt (.tlog-proof): it is larger than %u bytes",
			       TLOG_PROOF_MAX);
	}
	result = read_proof(&r, ret);
	if (result < 0) {
		tlog_proof_finish(ret);
		*ret = (struct tlog_proof)TLOG_PROOF_INIT;
	}
	return result;
}

/* The note of a log's: signed by the key, and the checkpoint of the log that the key is of. */
static int
check_checkpoint(const struct buf *bytes, const struct note_key *key, struct checkpoint *ret,
		 struct err *err)
{
	struct note n;
	int r = note_parse(buf_text(bytes), bytes->len, &n, err);

	if (r < 0) {
		return r;
	}
	r = note_check(&n, key, NULL);
	if (r == -ENOENT) {
		return err_set(err, r, "the checkpoint is not signed by the key of %s", key->name);
	}
	if (r < 0) {
		return err_set(
			err, r,
			"the checkpoint's signature of %s is wrong: it was changed, or another key "
			"made it",
			key->name);
	}
	r = checkpoint_parse(n.text, n.text_len, ret, err);
	if (r == 0 && strcmp(ret->origin, key->name) != 0) {
		r = err_set(err, -EBADMSG, "the checkpoint is of the log %s, and the key of %s",
			    ret->origin, key->name);
	}
	return r;
}

int
tlog_proof_check(const struct tlog_proof *p, const struct note_key *key, struct checkpoint *ret,
		 struct err *err)
{
	struct checkpoint c = { .origin = "" };
	uint8_t leaf[SHA256_SIZE];
	int r = check_checkpoint(&p->checkpoint, key, &c, err);

	if (r < 0) {
		return r;
	}
	if (p->extra.len == 0) {
		return err_set(err, -EBADMSG, "the receipt has no entry (a line \"extra\")");
	}
	merkle_leaf(p->extra.data, p->extra.len, leaf);
	if (merkle_check_inclusion(&p->inclusion, p->index, c.size, leaf, c.root) < 0) {
		return err_set(
			err, -EBADMSG,
			"the entry is not at index %llu of the log that the checkpoint is of",
			(unsigned long long)p->index);
	}
	*ret = c;
	return 0;
}
