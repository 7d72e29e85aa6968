/* SPDX-License-Identifier: Apache-2.0 */
/* Runs in airlock-cli as the caller. Contents are the tools'; diff(1) compares them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "view_blame.h"
#include "view_diff.h"

/* A version that is known, and where its lines come from. */
struct traced {
	size_t version;		   /* BLAME_NONE: none is known yet */
	const struct buf *content; /* borrowed */
	struct blame_origin *lines;
	size_t count;
};

struct trace {
	const struct blame_version *versions;
	size_t count;
	bool by_line;
	struct traced *kept; /* one per version; lines NULL where nobody asks for it again */
	struct traced now;
};

static void
trace_finish(struct trace *t)
{
	for (size_t i = 0; t->kept != NULL && i < t->count; i++) {
		free(t->kept[i].lines);
	}
	free(t->kept);
	free(t->now.lines);
}

static size_t
line_count(const struct trace *t, const struct buf *content)
{
	const char *p = buf_text(content), *end = p + content->len;
	size_t count = 0;

	if (!t->by_line) {
		return content->len > 0 ? 1 : 0;
	}
	for (; p < end; count++) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));

		p = newline != NULL ? newline + 1 : end;
	}
	return count;
}

static bool
is_same(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

/* ---- what diff says -------------------------------------------------------------------------- */

/* "12,3" or "12": a line and how many; where there are none the line is the one before. */
static const char *
read_range(const char *p, size_t *ret_at, size_t *ret_count)
{
	char *end;

	*ret_at = strtoul(p, &end, 10);
	*ret_count = 1;
	if (*end == ',') {
		*ret_count = strtoul(end + 1, &end, 10);
	}
	if (*ret_count > 0 && *ret_at > 0) {
		(*ret_at)--; /* from 0 */
	}
	return end;
}

struct merge {
	const struct traced *old;
	size_t old_at;
	struct blame_origin *lines;
	size_t at, count;
	struct blame_origin fresh;
};

static bool
take_old(struct merge *m, size_t until)
{
	while (m->old_at < until) {
		if (m->old_at >= m->old->count || m->at >= m->count) {
			return false;
		}
		m->lines[m->at++] = m->old->lines[m->old_at++];
	}
	return true;
}

/* One line of a hunk; its sign says whose it is. */
static bool
take_line(struct merge *m, char sign, size_t *old_left, size_t *new_left)
{
	switch (sign) {
	case ' ':
		(*old_left)--;
		(*new_left)--;
		return take_old(m, m->old_at + 1);
	case '-':
		(*old_left)--;
		m->old_at++;
		return m->old_at <= m->old->count;
	case '+':
		(*new_left)--;
		if (m->at >= m->count) {
			return false;
		}
		m->lines[m->at++] = m->fresh;
		return true;
	default:
		return sign == '\\'; /* "No newline at end of file" */
	}
}

/* False when it is not what diff writes of these two. */
static bool
merge(struct merge *m, const struct buf *hunks)
{
	const char *p = buf_text(hunks), *end = p + hunks->len;

	while (p < end) {
		size_t old_at, old_left, new_at, new_left;

		if (strncmp(p, "@@ -", 4) != 0) {
			return false;
		}
		p = read_range(p + 4, &old_at, &old_left);
		if (strncmp(p, " +", 2) != 0) {
			return false;
		}
		p = read_range(p + 2, &new_at, &new_left);
		p = memchr(p, '\n', (size_t)(end - p));
		if (p == NULL || !take_old(m, old_at) || m->at != new_at) {
			return false;
		}
		for (p++; p < end && (old_left > 0 || new_left > 0 || *p == '\\');) {
			const char *newline = memchr(p, '\n', (size_t)(end - p));

			if (!take_line(m, *p, &old_left, &new_left)) {
				return false;
			}
			p = newline != NULL ? newline + 1 : end;
		}
	}
	return take_old(m, m->old->count) && m->at == m->count;
}

/* ---- one step -------------------------------------------------------------------------------- */

/* The lines of a version that was compared with none. */
static void
all_from(struct blame_origin *lines, size_t count, struct blame_origin origin)
{
	for (size_t i = 0; i < count; i++) {
		lines[i] = origin;
	}
}

/* What the lines of version i are made of, when the one before it that is known is t->now. */
static int
follow(struct trace *t, size_t i, struct blame_origin *lines, size_t count, struct err *err)
{
	const struct buf *content = t->versions[i].content;
	const struct traced *old = &t->now;
	struct merge m = { .old = old,
			   .lines = lines,
			   .count = count,
			   .fresh = { .from = old->version, .to = i } };
	auto_buf hunks = BUF_INIT;
	struct err why = ERR_INIT;
	int rc;

	if (old->version != BLAME_NONE && is_same(old->content, content)) {
		return take_old(&m, count) ? 0 : err_set(err, -EBADMSG, "compare two versions");
	}
	if (old->version == BLAME_NONE || old->count == 0 || count == 0 || !t->by_line) {
		all_from(lines, count, m.fresh);
		return 0;
	}
	if (old->content->len > DIFF_FILE_MAX || content->len > DIFF_FILE_MAX) {
		rc = -EFBIG;
	} else {
		rc = diff_run(old->content, content, &hunks, &why);
	}
	if (rc == -ENOENT || rc == -ENOMEM) {
		*err = why; /* there is no diff(1): no answer is better than a vague one */
		return rc;
	}
	if (rc != 0 || !merge(&m, &hunks)) {
		all_from(lines, count, (struct blame_origin){ .from = BLAME_NONE, .to = i });
	}
	return 0;
}

static int
copy_lines(const struct traced *from, struct blame_origin **ret)
{
	size_t size = (from->count > 0 ? from->count : 1) * sizeof(**ret);

	*ret = malloc(size);
	if (*ret == NULL) {
		return -ENOMEM;
	}
	if (from->count > 0) {
		memcpy(*ret, from->lines, from->count * sizeof(**ret));
	}
	return 0;
}

static int
step(struct trace *t, size_t i, struct err *err)
{
	const struct blame_version *v = &t->versions[i];
	struct traced next = { .version = i, .content = v->content };
	int rc;

	if (v->content == NULL) {
		return 0;
	}
	next.count = line_count(t, v->content);
	if (v->restores != BLAME_NONE && t->kept[v->restores].lines != NULL &&
	    is_same(t->kept[v->restores].content, v->content)) {
		rc = copy_lines(&t->kept[v->restores], &next.lines);
	} else {
		next.lines = calloc(next.count > 0 ? next.count : 1, sizeof(*next.lines));
		rc = next.lines == NULL ? -ENOMEM : follow(t, i, next.lines, next.count, err);
	}
	if (rc != 0) {
		free(next.lines);
		return rc == -ENOMEM ? err_sys(err, rc, "compare versions") : rc;
	}
	free(t->now.lines);
	t->now = next;
	return 0;
}

/* Some later version takes this one back. */
static bool
is_asked_for(const struct trace *t, size_t i)
{
	for (size_t later = i + 1; later < t->count; later++) {
		if (t->versions[later].restores == i) {
			return true;
		}
	}
	return false;
}

static int
keep(struct trace *t, size_t i)
{
	if (t->now.version != i || !is_asked_for(t, i)) {
		return 0;
	}
	t->kept[i] = t->now;
	t->kept[i].lines = NULL;
	return copy_lines(&t->now, &t->kept[i].lines);
}

static int
join(const struct traced *last, struct blame_part **ret_parts, size_t *ret_count)
{
	struct blame_part *parts = calloc(last->count > 0 ? last->count : 1, sizeof(*parts));
	size_t count = 0;

	if (parts == NULL) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < last->count; i++) {
		struct blame_part *p = count > 0 ? &parts[count - 1] : NULL;

		if (p != NULL && p->origin.from == last->lines[i].from &&
		    p->origin.to == last->lines[i].to) {
			p->count++;
		} else {
			parts[count] = (struct blame_part){ .first = i + 1,
							    .count = 1,
							    .origin = last->lines[i] };
			count++;
		}
	}
	*ret_parts = parts;
	*ret_count = count;
	return 0;
}

static int
walk(struct trace *t, struct err *err)
{
	for (size_t i = 0; i < t->count; i++) {
		int rc = step(t, i, err);

		if (rc != 0) {
			return rc;
		}
		if (keep(t, i) != 0) {
			return err_sys(err, -ENOMEM, "compare versions");
		}
	}
	return 0;
}

int
blame_trace(const struct blame_version *versions, size_t count, bool by_line,
	    struct blame_part **ret_parts, size_t *ret_count, struct err *err)
{
	__attribute__((cleanup(trace_finish))) struct trace t = {
		.versions = versions,
		.count = count,
		.by_line = by_line,
		.now = { .version = BLAME_NONE },
	};
	int rc;

	if (count == 0 || versions[count - 1].content == NULL) {
		return err_set(err, -EINVAL, "the last version is not known");
	}
	t.kept = calloc(count, sizeof(*t.kept));
	if (t.kept == NULL) {
		return err_sys(err, -ENOMEM, "compare versions");
	}
	rc = walk(&t, err);
	if (rc == 0 && join(&t.now, ret_parts, ret_count) != 0) {
		rc = err_sys(err, -ENOMEM, "compare versions");
	}
	return rc;
}

size_t
blame_steps(const struct blame_part *part, size_t *ret_first)
{
	size_t first = part->origin.from == BLAME_NONE ? 0 : part->origin.from + 1;

	*ret_first = first;
	return part->origin.to - first + 1;
}
