/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by airlock-cli, as the caller; where that is root, as whose state directory it is. Calls
 * under way are found, signalled and waited for.
 */
#include "control.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/grow.h"
#include "../sys/sys.h"
#include "view_state.h"

/*
 * What a state directory says of processes is its owner's word: root acts on it with no more than
 * its owner's power, and leaves nothing there that is not his.
 */
static int
become_owner(const struct store *s, struct err *err)
{
	const struct passwd *pw;
	struct stat st;
	int rc;

	if (fstat(s->dir_fd, &st) < 0) {
		return err_sys(err, -errno, "%s", s->path);
	}
	if (st.st_uid == geteuid()) {
		return 0;
	}
	if (geteuid() != 0) {
		return err_set(err, -EPERM, "%s belongs to uid %u, not to you (%u)", s->path,
			       st.st_uid, geteuid());
	}
	/* as the front does: anybody may give a directory a group of power */
	pw = getpwuid(st.st_uid);
	rc = sys_become(st.st_uid, pw != NULL ? pw->pw_gid : (gid_t)st.st_uid);
	return rc < 0 ? err_sys(err, rc, "become uid %u, whose %s is", st.st_uid, s->path) : 0;
}

int
control_open(struct store *ret, struct err *err)
{
	auto_free char *path = NULL;
	int rc = reading_path(&path, err);

	rc = rc == 0 ? store_open_read(path, ret, err) : rc;
	return rc == 0 ? become_owner(ret, err) : rc;
}

/* ---- which there are ------------------------------------------------------------------------- */

void
control_list_finish(struct control_list *l)
{
	free(l->items);
	*l = (struct control_list){ .items = NULL };
}

struct lister {
	struct control_list *list;
	size_t cap;
};

static int
list_one(void *arg, const struct running_call *c)
{
	struct lister *l = arg;
	void *grown = grow_array(l->list->items, l->list->count, &l->cap, sizeof(*c));

	if (grown == NULL) {
		return -ENOMEM;
	}
	l->list->items = grown;
	l->list->items[l->list->count++] = *c;
	return 0;
}

static int
by_age(const void *a, const void *b)
{
	const struct running_call *x = a, *y = b;

	return x->t0_ms != y->t0_ms ? (x->t0_ms > y->t0_ms) - (x->t0_ms < y->t0_ms)
				    : strcmp(x->call_text, y->call_text);
}

int
control_list(const struct store *s, struct control_list *ret, struct err *err)
{
	struct lister lister = { .list = ret };
	int rc = running_each(s, list_one, &lister, err);

	if (rc == 0 && ret->count > 1) {
		qsort(ret->items, ret->count, sizeof(*ret->items), by_age);
	}
	return rc == -ENOMEM ? err_sys(err, rc, "list the calls under way") : rc;
}

/* ---- signals --------------------------------------------------------------------------------- */

struct sender {
	const struct store *store;
	const struct control_filter *which;
	struct control_calls *calls;
	size_t cap;
	int signal;
	enum running_by by;
};

void
control_calls_finish(struct control_calls *c)
{
	free(c->texts);
	*c = (struct control_calls){ .texts = NULL };
}

static bool
is_meant(const struct control_filter *f, const struct running_call *c)
{
	return (f->call == NULL || memcmp(f->call, c->call, sizeof(c->call)) == 0) &&
	       (f->workflow == NULL ||
		memcmp(f->workflow, c->workflow, sizeof(c->workflow)) == 0) &&
	       (f->principal == NULL || running_is_principal(c, f->principal)) &&
	       (f->item == NULL || running_may_hold(c, f->bundle, f->item)) &&
	       (!f->but_owed || c->serves[0] == '\0');
}

static int
signal_one(void *arg, const struct running_call *c)
{
	struct sender *s = arg;
	struct control_calls *calls = s->calls;
	void *grown;
	int rc;

	if (!c->is_alive || !is_meant(s->which, c)) {
		return 0;
	}
	grown = grow_array(calls->texts, calls->count, &s->cap, sizeof(*calls->texts));
	if (grown == NULL) {
		return -ENOMEM;
	}
	calls->texts = grown;
	rc = running_signal(s->store, c, s->signal, s->by);
	if (rc == 0) {
		memcpy(calls->texts[calls->count++], c->call_text, UUID_TEXT_SIZE);
	} else if (rc != -ESRCH || running_wait(s->store, c->call_text, 1, -1) == -ETIMEDOUT) {
		calls->unreachable++;
	}
	return 0;
}

int
control_signal(const struct store *s, const struct control_filter *which, int signal,
	       enum running_by by, struct control_calls *ret, struct err *err)
{
	struct sender sender = {
		.store = s, .which = which, .calls = ret, .signal = signal, .by = by
	};
	int rc = running_each(s, signal_one, &sender, err);

	return rc == -ENOMEM ? err_sys(err, rc, "signal the calls under way") : rc;
}

bool
control_tell_unreachable(const struct control_calls *c)
{
	if (c->unreachable > 0) {
		fprintf(stderr,
			"airlock: %zu call%s cannot be reached from here: run this where they "
			"were started\n",
			c->unreachable, c->unreachable == 1 ? "" : "s");
	}
	return c->unreachable > 0;
}

size_t
control_wait(const struct store *s, const struct control_calls *c, uint64_t timeout_ms)
{
	const uint64_t until_ns = clock_monotonic_ns() + timeout_ms * 1000000u;
	size_t living = 0;

	for (size_t i = 0; i < c->count; i++) {
		uint64_t now_ns = clock_monotonic_ns();
		uint64_t left_ms = now_ns < until_ns ? (until_ns - now_ns) / 1000000u + 1 : 1;

		living += running_wait(s, c->texts[i], left_ms, -1) == -ETIMEDOUT ? 1 : 0;
	}
	return living;
}

int
control_tell(const struct store *s, const struct control_calls *c, bool are_to_end,
	     const char *done)
{
	size_t left = are_to_end ? control_wait(s, c, CONTROL_WAIT_MS) : 0;

	if (c->count > 0) {
		printf("; %zu call%s %s", c->count - left, c->count - left == 1 ? "" : "s", done);
	}
	putchar('\n');
	if (left > 0) {
		fprintf(stderr, "airlock: %zu call%s not ended in time: airlock ps\n", left,
			left == 1 ? " has" : "s have");
	}
	return control_tell_unreachable(c) || left > 0 ? 1 : 0;
}
