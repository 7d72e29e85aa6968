/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs in airlock-witness, over what anybody sent. The order of the checks is the specification's;
 * a checkpoint that its log did not sign changes nothing and learns nothing but whether the log is
 * known.
 */
#include "witness.h"

#include <string.h>

#include "../evidence/merkle.h"
#include "request.h"
#include "state.h"

#define TEXT "text/plain; charset=utf-8"

static void
answer(struct witness_answer *ret, unsigned int status, const char *text)
{
	ret->status = status;
	ret->type = TEXT;
	buf_printf(&ret->body, "%s\n", text);
}

static void
answer_size(struct witness_answer *ret, uint64_t size)
{
	ret->status = 409;
	ret->type = "text/x.tlog.size";
	buf_printf(&ret->body, "%llu\n", (unsigned long long)size);
}

/* Whether a key of the origin's signed: 0, 404 or 403. */
static unsigned int
check_log(const struct witness *w, const struct note *n, const char *origin)
{
	unsigned int status = 404;

	for (size_t i = 0; i < w->logs; i++) {
		if (strcmp(w->log[i].name, origin) != 0) {
			continue;
		}
		if (note_check(n, &w->log[i], NULL) == 0) {
			return 0;
		}
		status = 403;
	}
	return status;
}

static void
cosign(const struct witness *w, const struct note *n, uint64_t now, struct witness_answer *ret,
       struct err *err)
{
	auto_buf line = BUF_INIT;

	if (note_cosign(w->key, n->text, n->text_len, now, &line, err) < 0) {
		answer(ret, 500, "the witness could not sign");
		return;
	}
	ret->status = 200;
	ret->type = TEXT;
	buf_put(&ret->body, line.data, line.len);
}

/* A checkpoint that its log signed, against what is stored. */
static void
judge(const struct witness *w, const struct witness_request *req, const struct note *n,
      const struct checkpoint *c, uint64_t now, struct witness_answer *ret, struct err *err)
{
	struct checkpoint last;

	if (req->old_size > c->size) {
		answer(ret, 400, "the old size is greater than the checkpoint's");
		return;
	}
	if (witness_state_read(w->dir_fd, c->origin, &last, err) < 0) {
		answer(ret, 500, "the witness cannot read what it cosigned");
		return;
	}
	if (req->old_size != last.size) {
		answer_size(ret, last.size);
		return;
	}
	if (c->size == last.size && memcmp(c->root, last.root, sizeof(c->root)) != 0) {
		answer(ret, 409,
		       "another root was cosigned for this size: the log has two histories");
		return;
	}
	if (merkle_check_consistency(&req->proof, last.size, c->size, last.root, c->root) < 0) {
		answer(ret, 422, "the proof does not show that the log only grew");
		return;
	}
	if (c->size > last.size && witness_state_write(w->dir_fd, c->origin, req->checkpoint,
						       req->checkpoint_len, err) < 0) {
		answer(ret, 500, "the witness cannot store the checkpoint");
		return;
	}
	cosign(w, n, now, ret, err);
}

void
witness_add_checkpoint(const struct witness *w, const char *body, size_t len, uint64_t now,
		       struct witness_answer *ret, struct err *err)
{
	struct witness_request req;
	struct checkpoint c = { .origin = "" };
	struct err why = ERR_INIT;
	struct note n;
	unsigned int status;

	if (witness_request_parse(body, len, &req, &why) < 0 ||
	    checkpoint_read(req.checkpoint, req.checkpoint_len, &n, &c, &why) < 0) {
		answer(ret, 400, why.text);
		return;
	}
	status = check_log(w, &n, c.origin);
	if (status != 0) {
		answer(ret, status,
		       status == 404 ? "this witness does not know the log"
				     : "no known key of the log signed the checkpoint");
		return;
	}
	judge(w, &req, &n, &c, now, ret, err);
}
