/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs in airlock-cli as the caller. Paths, digests and contents in the records are the tools';
 * what is in the workspace now is opened by descriptor and never through a link.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../base/grow.h"
#include "../snapshot/snapshot.h"
#include "view_blame.h"
#include "view_diff.h"

#define CONTENTS_MAX ((size_t)512 << 20) /* of all versions together */

static void
state_finish(struct blame_state *s)
{
	buf_finish(&s->content);
}

void
blame_history_finish(struct blame_history *h)
{
	for (size_t i = 0; i < h->call_count; i++) {
		record_finish(&h->calls[i].record);
		state_finish(&h->calls[i].before);
		state_finish(&h->calls[i].after);
		free(h->calls[i].path);
	}
	for (size_t i = 0; i < h->count; i++) {
		state_finish(&h->steps[i].state);
	}
	free(h->calls);
	free(h->steps);
	buf_finish(&h->path);
}

/* ---- states ---------------------------------------------------------------------------------- */

static char
type_of(mode_t mode)
{
	static const struct {
		mode_t type;
		char letter;
	} types[] = { { 0, '-' }, { S_IFREG, 'f' }, { S_IFLNK, 'l' }, { S_IFDIR, 'd' } };

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if ((mode & S_IFMT) == types[i].type) {
			return types[i].letter;
		}
	}
	return '?';
}

static bool
has_bytes(const struct blame_state *s)
{
	return s->type == 'f' || s->type == 'l';
}

static struct blame_state
state_of(mode_t mode, bool is_known, const uint8_t digest[SHA256_SIZE])
{
	struct blame_state s = { .type = type_of(mode), .content = BUF_INIT };

	if (has_bytes(&s)) {
		s.has_digest = is_known && digest != NULL;
		if (s.has_digest) {
			memcpy(s.digest, digest, SHA256_SIZE);
		}
	} else {
		s.has_content = true;
	}
	return s;
}

/* As far as is known. */
static bool
is_same(const struct blame_state *a, const struct blame_state *b)
{
	if (a->type != b->type || !has_bytes(a)) {
		return a->type == b->type;
	}
	return !a->has_digest || !b->has_digest || memcmp(a->digest, b->digest, SHA256_SIZE) == 0;
}

/* Its digests, without contents: those are looked for when all are known. */
static struct blame_state
bare(const struct blame_state *s)
{
	struct blame_state copy = { .type = s->type,
				    .has_digest = s->has_digest,
				    .has_content = !has_bytes(s),
				    .content = BUF_INIT,
				    .why = s->why };

	memcpy(copy.digest, s->digest, sizeof(copy.digest));
	return copy;
}

/* What no call left. */
static struct blame_step
from_outside(const struct blame_state *state)
{
	return (struct blame_step){
		.call = BLAME_OUTSIDE, .uid = -1, .state = *state, .restores = BLAME_NONE
	};
}

/* Takes over what its state has. */
static int
push(struct blame_history *h, struct blame_step step)
{
	struct blame_step *grown = grow_array(h->steps, h->count, &h->cap, sizeof(*grown));

	if (grown == NULL) {
		return -ENOMEM;
	}
	h->steps = grown;
	h->steps[h->count++] = step;
	return 0;
}

/* ---- what is there now ----------------------------------------------------------------------- */

static int
read_link(const char *path, struct blame_state *ret)
{
	char target[PATH_MAX];
	ssize_t len = readlink(path, target, sizeof(target));

	if (len < 0) {
		return -errno;
	}
	*ret = state_of(S_IFLNK, false, NULL);
	buf_put(&ret->content, target, (size_t)len);
	ret->has_content = buf_error(&ret->content) == 0;
	ret->has_digest = true;
	sha256_of(target, (size_t)len, ret->digest);
	return buf_error(&ret->content);
}

/* Hashed whole; kept as far as it can be compared. */
static int
read_bytes(int fd, struct blame_state *ret)
{
	const size_t piece = (size_t)1 << 16;
	auto_free uint8_t *bytes = malloc(piece);
	struct sha256 hash;
	ssize_t n = 1;

	if (bytes == NULL) {
		return -ENOMEM;
	}
	*ret = state_of(S_IFREG, false, NULL);
	sha256_init(&hash);
	ret->has_content = true;
	while (n > 0) {
		n = read(fd, bytes, piece);
		if (n < 0 && errno == EINTR) {
			n = 1;
			continue;
		}
		if (n > 0) {
			sha256_update(&hash, bytes, (size_t)n);
			ret->has_content = ret->content.len <= DIFF_FILE_MAX;
			buf_put(&ret->content, bytes, ret->has_content ? (size_t)n : 0);
		}
	}
	if (n < 0) {
		return -errno;
	}
	sha256_final(&hash, ret->digest);
	ret->has_digest = true;
	return buf_error(&ret->content);
}

static int
read_now(const char *path, struct blame_state *ret, uint64_t *ret_mtime_ms, struct err *err)
{
	auto_fd fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	auto_buf shown = BUF_INIT;
	struct stat st = { .st_mode = 0 };
	int rc = fd < 0 ? -errno : 0;

	text_safe(&shown, path, strlen(path), false);
	if (lstat(path, &st) == 0 && st.st_mtim.tv_sec > 0) {
		*ret_mtime_ms = (uint64_t)st.st_mtim.tv_sec * 1000;
	}
	if (rc == -ENOENT || rc == -ENOTDIR) {
		*ret = state_of(0, false, NULL);
		return 0;
	}
	if (rc == -ELOOP) {
		rc = read_link(path, ret);
		return rc == 0 ? 0 : err_sys(err, rc, "%s", buf_text(&shown));
	}
	if (rc == 0 && fstat(fd, &st) < 0) {
		rc = -errno;
	}
	if (rc == 0 && S_ISDIR(st.st_mode)) {
		return err_set(err, -EISDIR,
			       "%s is a directory: name a file of it; `airlock log --touched` "
			       "lists the calls that changed something in it",
			       buf_text(&shown));
	}
	if (rc == 0 && !S_ISREG(st.st_mode)) {
		*ret = state_of(st.st_mode, false, NULL);
		return 0;
	}
	rc = rc == 0 ? read_bytes(fd, ret) : rc;
	return rc == 0 ? 0 : err_sys(err, rc, "%s", buf_text(&shown));
}

/* ---- what calls did -------------------------------------------------------------------------- */

/* One entry of the journal about a call of one of the workspaces. */
struct event {
	uint64_t n, t_ms;
	int64_t uid;
	char call[UUID_TEXT_SIZE];
	bool is_settle, is_committed;
	const char *below; /* the path in that workspace, in vis octal; borrowed */
};

struct events {
	struct event *items;
	size_t count, cap;
	const char *below; /* of what is being collected */
};

/* What a call is to the path, beside what a page says of it. */
struct seen {
	char id[UUID_TEXT_SIZE];
	size_t call; /* in calls[]; BLAME_NONE: it did not touch the path */
	bool is_committed, was_committed;
	size_t before; /* the state that it was committed over */
};

struct loading {
	struct reading *r;
	struct blame_history *h;
	struct seen *seen;
	size_t seen_count;
	struct err *err;
};

static int
add_event(void *arg, const struct index_step *step)
{
	struct events *events = arg;
	void *items =
		grow_array(events->items, events->count, &events->cap, sizeof(*events->items));

	if (items == NULL) {
		return -ENOMEM;
	}
	events->items = items;
	events->items[events->count] = (struct event){
		.n = step->n,
		.t_ms = step->t_ms,
		.uid = step->uid,
		.is_settle = step->settled[0] != '\0',
		.is_committed = strcmp(step->settled, "committed") == 0,
		.below = events->below,
	};
	snprintf(events->items[events->count++].call, UUID_TEXT_SIZE, "%s", step->call);
	return 0;
}

static const json_t *
find_in_record(const struct record *rec, const char *path)
{
	const json_t *items = record_get(rec->outcome, "changes.items");

	for (size_t i = 0; i < json_array_size(items); i++) {
		const json_t *item = json_array_get(items, i);
		auto_buf raw = BUF_INIT;

		if (text_unvis(record_text(item, "path"), &raw) == 0 &&
		    strcmp(buf_text(&raw), path) == 0) {
			return item;
		}
	}
	return NULL;
}

static void
take_item(struct blame_call *c, const json_t *item)
{
	uint8_t before[SHA256_SIZE], after[SHA256_SIZE];
	bool has_before = text_unhex(record_text(item, "before"), before, SHA256_SIZE) == 0;
	bool has_after = text_unhex(record_text(item, "after"), after, SHA256_SIZE) == 0;

	c->kind = record_text(item, "kind");
	c->before = state_of((mode_t)record_number(item, "mode_before"), has_before, before);
	c->after = state_of((mode_t)record_number(item, "mode_after"), has_after, after);
	c->before.size = record_number(item, "size_before");
	c->after.size = record_number(item, "size_after");
}

/* 1: the call has a change of the path; 0: it has none, or nobody can say. */
static int
take_listed(struct loading *l, struct blame_call *c)
{
	struct change_list list;
	const struct change *change;
	int rc = object_changes(l->r, &c->record, &list, l->err);

	if (rc == -ENODATA) {
		*l->err = (struct err)ERR_INIT;
		l->h->unlisted++;
		return 0;
	}
	if (rc != 0) {
		return rc;
	}
	change = changes_find(&list.set, c->path);
	if (change != NULL) {
		c->kind = changes_kind_word(change->kind);
		c->before = state_of(change->mode_before, change->before_known, change->before);
		c->after = state_of(change->mode_after, change->after_known, change->after);
		c->before.size = change->size_before;
		c->after.size = change->size_after;
	}
	changes_finish(&list.set);
	return change != NULL ? 1 : 0;
}

static int
take_change(struct loading *l, struct blame_call *c, const char *below)
{
	auto_buf raw = BUF_INIT;
	const json_t *item;

	if (text_unvis(below, &raw) != 0) {
		return -EBADMSG;
	}
	c->path = strdup(buf_text(&raw));
	if (c->path == NULL) {
		return -ENOMEM;
	}
	item = find_in_record(&c->record, c->path);
	if (item != NULL) {
		take_item(c, item);
		return 1;
	}
	if (c->record.outcome != NULL &&
	    !json_is_true(record_get(c->record.outcome, "changes.truncated"))) {
		return 0;
	}
	return take_listed(l, c);
}

/* Reads a call that is met for the first time. */
static int
meet(struct loading *l, const struct event *e, struct seen *ret)
{
	struct blame_history *h = l->h;
	void *grown = reallocarray(h->calls, h->call_count + 1, sizeof(*h->calls));
	struct blame_call *c;
	int rc;

	if (grown == NULL) {
		return -ENOMEM;
	}
	h->calls = grown;
	c = &h->calls[h->call_count];
	*c = (struct blame_call){ .record = RECORD_INIT };
	*ret = (struct seen){ .call = BLAME_NONE, .before = BLAME_NONE };
	memcpy(ret->id, e->call, sizeof(ret->id));
	rc = record_load(l->r, e->call, &c->record, l->err);
	rc = rc != 0 ? rc : take_change(l, c, e->below);
	if (rc == 1) {
		c->before.why = object_not_kept(&c->record, c->path, c->before.size, true);
		c->after.why = object_not_kept(&c->record, c->path, c->after.size, false);
		ret->call = h->call_count++;
		return 0;
	}
	record_finish(&c->record);
	free(c->path);
	return rc;
}

static int
find_seen(struct loading *l, const struct event *e, struct seen **ret)
{
	struct seen *grown;
	int rc;

	for (size_t i = l->seen_count; i > 0; i--) {
		if (strcmp(l->seen[i - 1].id, e->call) == 0) {
			*ret = &l->seen[i - 1];
			return 0;
		}
	}
	grown = reallocarray(l->seen, l->seen_count + 1, sizeof(*l->seen));
	if (grown == NULL) {
		return -ENOMEM;
	}
	l->seen = grown;
	rc = meet(l, e, &l->seen[l->seen_count]);
	*ret = &l->seen[l->seen_count];
	l->seen_count += rc == 0 ? 1 : 0;
	return rc;
}

/* From one state to another; what was there meanwhile came from elsewhere. */
static int
move(struct loading *l, struct blame_step step, const struct blame_state *from,
     const struct blame_state *to)
{
	struct blame_history *h = l->h;
	struct blame_state state = bare(from);
	int rc = 0;

	if (h->count == 0 || !is_same(&h->steps[h->count - 1].state, from)) {
		rc = push(h, from_outside(&state));
	}
	step.state = bare(to);
	return rc != 0 || is_same(from, to) ? rc : push(h, step);
}

static int
take_event(struct loading *l, const struct event *e)
{
	struct seen *seen;
	int rc = find_seen(l, e, &seen);
	bool is_committed = e->is_committed;
	struct blame_step step = { .t_ms = e->t_ms,
				   .uid = e->is_settle ? e->uid : -1,
				   .restores = BLAME_NONE };
	const struct blame_call *c;

	if (rc != 0 || seen->call == BLAME_NONE) {
		return rc;
	}
	c = &l->h->calls[seen->call];
	step.call = seen->call;
	if (!e->is_settle) {
		is_committed = strcmp(record_text(c->record.outcome, "settled"), "committed") == 0;
	}
	if (is_committed && !seen->is_committed) {
		rc = move(l, step, &c->before, &c->after);
		/* the state before the last one, when there was a move */
		seen->before = l->h->count > 1 ? l->h->count - 2 : 0;
		seen->was_committed = true;
	} else if (!is_committed && seen->is_committed) {
		step.is_undo = true;
		step.restores = seen->before;
		rc = move(l, step, &c->after, &c->before);
	}
	seen->is_committed = is_committed;
	return rc;
}

static int
by_order(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	return x->n < y->n ? -1 : x->n > y->n;
}

/* Every directory above the path may have been a workspace. */
static int
collect(struct loading *l, const char *spelled, struct events *events)
{
	auto_buf directory = BUF_INIT;
	int rc = 0;

	for (const char *slash = strchr(spelled + 1, '/'); rc == 0 && slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		buf_reset(&directory);
		buf_put(&directory, spelled, (size_t)(slash - spelled));
		events->below = slash + 1;
		rc = buf_error(&directory);
		rc = rc != 0 ? rc
			     : index_steps(l->r->ix, buf_text(&directory), events->below, add_event,
					   events, l->err);
	}
	if (rc == 0 && events->count > 0) {
		qsort(events->items, events->count, sizeof(*events->items), by_order);
	}
	return rc;
}

/* ---- contents -------------------------------------------------------------------------------- */

/* The objects of a workflow hold what its calls had; another's may hold the same. */
static int
load_content(struct loading *l, struct blame_state *s)
{
	struct blame_history *h = l->h;
	int rc = -ENODATA;

	for (size_t i = 0; rc == -ENODATA && i < h->call_count; i++) {
		bool is_asked = false;

		for (size_t j = 0; j < i && !is_asked; j++) {
			is_asked = memcmp(h->calls[j].record.workflow, h->calls[i].record.workflow,
					  16) == 0;
		}
		if (!is_asked) {
			rc = object_content(l->r, &h->calls[i].record, s->digest, &s->content,
					    l->err);
		}
	}
	if (rc == -EBADMSG) {
		*l->err = (struct err)ERR_INIT;
		s->why = "its object in the store is damaged";
		return 0;
	}
	s->has_content = rc == 0;
	if (rc == -ENODATA && s->why == NULL) {
		s->why = "its object is in no pack: removed, or not restored";
	}
	return rc == -ENODATA ? 0 : rc;
}

static int
load_contents(struct loading *l)
{
	struct blame_history *h = l->h;
	const struct blame_state *now = &h->steps[h->count - 1].state;
	size_t bytes = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i + 1 < h->count; i++) {
		struct blame_state *s = &h->steps[i].state;

		if (s->has_content || !s->has_digest) {
			continue;
		}
		if (now->has_content && now->has_digest &&
		    memcmp(now->digest, s->digest, SHA256_SIZE) == 0) {
			buf_put(&s->content, now->content.data, now->content.len);
			rc = buf_error(&s->content);
			s->has_content = true;
		} else if (bytes > CONTENTS_MAX) {
			s->why = "there are too many versions";
		} else {
			rc = load_content(l, s);
		}
		bytes += s->content.len;
	}
	return rc;
}

/* ---- all of it ------------------------------------------------------------------------------- */

static int
load(struct loading *l, struct events *events, struct blame_state *now)
{
	struct blame_history *h = l->h;
	struct blame_state *last;
	auto_buf spelled = BUF_INIT;
	int rc;

	text_vis(&spelled, h->path.data, h->path.len);
	rc = buf_error(&spelled);
	rc = rc != 0 ? rc : collect(l, buf_text(&spelled), events);
	rc = rc != 0 ? rc : index_forgotten_count(l->r->ix, &h->forgotten, l->err);
	for (size_t i = 0; rc == 0 && i < events->count; i++) {
		rc = take_event(l, &events->items[i]);
	}
	for (size_t i = 0; i < l->seen_count; i++) {
		h->uncommitted += l->seen[i].call != BLAME_NONE && !l->seen[i].was_committed;
	}
	if (rc != 0) {
		return rc;
	}
	last = h->count > 0 ? &h->steps[h->count - 1].state : NULL;
	if (last == NULL || !is_same(last, now)) {
		rc = push(h, from_outside(now));
	} else {
		state_finish(last);
		*last = *now;
	}
	if (rc == 0) {
		*now = (struct blame_state){ .content = BUF_INIT }; /* the history has it */
		last = &h->steps[h->count - 1].state;
		h->by_line = last->type == 'f' && last->has_content && diff_is_text(&last->content);
		rc = h->by_line ? load_contents(l) : 0;
	}
	return rc;
}

int
blame_history_load(struct reading *r, const struct buf *path, struct blame_history *ret,
		   struct err *err)
{
	struct loading l = { .r = r, .h = ret, .err = err };
	struct events events = { .items = NULL };
	struct blame_state now = { .content = BUF_INIT };
	int rc;

	buf_put(&ret->path, path->data, path->len);
	rc = buf_error(&ret->path);
	rc = rc != 0 ? rc : read_now(buf_text(&ret->path), &now, &ret->mtime_ms, err);
	rc = rc != 0 ? rc : load(&l, &events, &now);
	state_finish(&now);
	free(l.seen);
	free(events.items);
	return rc != 0 && err->code == 0 ? err_sys(err, rc, "read the history of a file") : rc;
}
