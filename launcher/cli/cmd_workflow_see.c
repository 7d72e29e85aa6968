/* SPDX-License-Identifier: Apache-2.0 */
/* Run by airlock-cli as cmd_workflow.h says. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd_recover.h"
#include "cmd_workflow.h"

int
workflow_lookup(struct reading *r, const char *name, char ret_id[UUID_TEXT_SIZE], struct err *err)
{
	uint8_t id[16];
	int rc;

	if (reading_workflow(r, name, ret_id) == ret_id) {
		return 0;
	}
	rc = index_workflow(r->ix, name, ret_id, err);
	/* of a name that nobody has, and nobody had, say how to make one */
	return rc == -ENOENT && workflow_name_is_good(name)
		     ? workflow_find(&r->store, name, id, err)
		     : rc;
}

static void
tell(const struct workflow_seen *w, const struct err *err)
{
	fprintf(stderr, "airlock: workflow %s: %s\n", w->id, err->text);
}

/* Of another boot, mostly: who only looks makes it again, too. */
static int
make_again(int dir, struct workflow_seen *w, struct err *err)
{
	auto_ledger f = LEDGER_FILE_INIT;
	int rc = recover_ledger_open(dir, w->d.id, &f, err);

	if (rc == 0) {
		w->l = f.l;
	}
	return rc;
}

int
workflow_see(const struct store *s, const uint8_t id[16], struct workflow_seen *ret,
	     struct err *err)
{
	struct workflow_seen w = { .is_named = true, .has_ledger = true };
	auto_fd dir = workflow_dir(s, id, false, err);
	struct err why = ERR_INIT;
	int rc;

	if (dir < 0 && dir != -ENOENT) {
		return dir;
	}
	text_uuid_print(id, w.id);
	rc = dir < 0 ? dir : workflow_definition_read(dir, &w.d, &why);
	if (rc < 0) {
		w.is_named = false;
		w.d = (struct workflow_definition){ .name = "local" };
		memcpy(w.d.id, id, sizeof(w.d.id));
	}
	if (rc < 0 && rc != -ENOENT) {
		tell(&w, &why);
	}
	rc = dir < 0 ? dir : ledger_read(dir, &w.l, &why);
	if (rc == -ESTALE) {
		rc = make_again(dir, &w, &why);
	}
	if (rc < 0) {
		w.has_ledger = false;
		w.l = (struct ledger){ .state = WORKFLOW_ACTIVE };
	}
	if (rc < 0 && (rc != -ENOENT || w.is_named)) {
		tell(&w, &why);
	}
	*ret = w;
	return 0;
}

const char *
workflow_seen_state(const struct workflow_seen *w)
{
	return w->is_forgotten ? "forgotten"
	     : w->has_ledger   ? workflow_state_words[w->l.state]
			       : "unknown";
}

bool
workflow_seen_left(const struct ledger *l, enum budget_id id, uint64_t *ret_left)
{
	uint64_t gone = l->used[id] + l->reserved[id];

	if (l->limit[id] == 0) {
		return false;
	}
	*ret_left = gone < l->limit[id] ? l->limit[id] - gone : 0;
	return true;
}

void
workflow_put_budget(struct buf *b, const struct ledger *l, enum budget_id id)
{
	uint64_t left = 0;
	bool is_bound = workflow_seen_left(l, id, &left);

	buf_printf(b, "%s: ", budget_words[id]);
	budget_print(b, id, l->used[id]);
	if (is_bound) {
		buf_puts(b, " of ");
		budget_print(b, id, l->limit[id]);
	}
	buf_puts(b, " used, ");
	budget_print(b, id, l->reserved[id]);
	buf_puts(b, is_bound ? " reserved, " : " reserved, no bound");
	if (is_bound) {
		budget_print(b, id, left);
		buf_puts(b, " left");
	}
}
