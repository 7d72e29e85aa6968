/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the front: the texts of events: which rule decided, and what a person or an agent can do
 * about it. Pure. Trusts the profile; numbers of a system call are the tool's.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../base/units.h"
#include "../plan/filter.h"
#include "denials.h"

static const struct limit_row {
	enum profile_key_id key;
	const char *name;
	size_t offset;
	void (*print)(struct buf *b, uint64_t value);
} limit_rows[] = {
#define LIMIT(id, label, member, unit, sample)                                                     \
	{ .key = KEY_##id, .name = (label), .offset = offsetof(struct limits, member),             \
	  .print = units_print_##unit },
#include "../profile/limits.def"
#undef LIMIT
};

static void
set_text(char *to, size_t size, const char *text)
{
	snprintf(to, size, "%s", text);
}

static uint64_t
limit_of(const struct limits *l, const struct limit_row *row)
{
	uint64_t v;

	memcpy(&v, (const char *)l + row->offset, sizeof(v));
	return v;
}

/* Lowered for this call: rule and remedy are the caller's own, up to what the profile says. */
static void
lowered(struct denial *item, const struct profile *p, const struct limit_row *row, uint64_t now)
{
	auto_buf value = BUF_INIT, most = BUF_INIT;

	row->print(&value, now);
	row->print(&most, limit_of(&p->limits, row));
	snprintf(item->rule, sizeof(item->rule), "--limit %s=%s", row->name, buf_text(&value));
	snprintf(item->hint, sizeof(item->hint),
		 "give more with --limit %s=VALUE, or leave it out: the profile allows %s (%s)",
		 row->name, buf_text(&most), p->rules[row->key].place);
}

static void
of_profile(struct denial *item, const struct profile *p, const struct limit_row *row, uint64_t now)
{
	auto_buf change = BUF_INIT, entry = BUF_INIT, hint = BUF_INIT;

	buf_printf(&change, "raise limits.%s (now ", row->name);
	row->print(&change, now);
	buf_putc(&change, ')');
	buf_printf(&entry, "limits: { %s: ", row->name);
	row->print(&entry, now <= UINT64_MAX / 2 ? now * 2 : now);
	buf_puts(&entry, " }");
	profile_remedy(&hint, p, row->key, buf_text(&change), buf_text(&entry));
	set_text(item->rule, sizeof(item->rule), p->rules[row->key].place);
	set_text(item->hint, sizeof(item->hint), buf_text(&hint));
}

void
denials_limit(struct denials *d, const struct profile *p, const struct limits *now,
	      enum profile_key_id key, const char *why)
{
	struct denial item = { .kind = "limit" };

	/* A limit is met or it is not: how often somebody looked is no count. */
	for (size_t i = 0; i < d->count; i++) {
		if (strcmp(d->items[i].kind, "limit") == 0 &&
		    strcmp(d->items[i].what, profile_key_name(key) + sizeof("limits.") - 1) == 0) {
			return;
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(limit_rows); i++) {
		const struct limit_row *row = &limit_rows[i];
		uint64_t value = limit_of(now, row);

		if (row->key != key) {
			continue;
		}
		set_text(item.what, sizeof(item.what), row->name);
		set_text(item.why, sizeof(item.why), why);
		if (value < limit_of(&p->limits, row)) {
			lowered(&item, p, row, value);
		} else {
			of_profile(&item, p, row, value);
		}
		denials_add(d, &item);
	}
}

static void
name_call(struct denial *item, const struct seccomp_data *call)
{
	const char *name = filter_syscall_name(call->arch, call->nr);

	if (strcmp(name, "socket") == 0) {
		snprintf(item->what, sizeof(item->what), "socket family %llu protocol %llu",
			 (unsigned long long)(call->args[0] & 0xffffffff),
			 (unsigned long long)(call->args[2] & 0xffffffff));
	} else if (name[0] != '\0') {
		set_text(item->what, sizeof(item->what), name);
	} else {
		snprintf(item->what, sizeof(item->what), "syscall %d", call->nr);
	}
}

static void
grant_group(struct denial *item, const struct profile *p, const char *group)
{
	auto_buf hint = BUF_INIT;

	profile_remedy_entry(&hint, p, KEY_SYSCALLS, group);
	set_text(item->rule, sizeof(item->rule), p->rules[KEY_SYSCALLS].place);
	set_text(item->hint, sizeof(item->hint), buf_text(&hint));
}

int
denials_syscall(struct denials *d, const struct profile *p, const struct seccomp_data *call)
{
	struct denial item = { .kind = "syscall", .rule = "built-in",
			       .hint = "no group of system calls grants it, so no profile can: do "
				       "without it" };
	const char *why = "", *group = NULL;
	int code = filter_denial(p->syscalls.items, p->syscalls.count, call, &why, &group);

	name_call(&item, call);
	set_text(item.why, sizeof(item.why), why);
	if (group != NULL) {
		grant_group(&item, p, group);
	}
	denials_add(d, &item);
	return code > 0 ? code : EPERM;
}

void
denials_launch(struct denials *d, const char *what, int code, const char *why)
{
	struct denial item = { .kind = "launch", .rule = "built-in" };
	const char *hint = "`airlock doctor` tries every layer of this host and prints how to mend "
			   "what is missing";

	if (strcmp(what, "exec") == 0 && code == ENOEXEC) {
		hint = "it is no program of this machine and has no '#!' line: start it with its "
		       "interpreter, as in `sh FILE`";
	} else if (strcmp(what, "exec") == 0) {
		hint = "make the file executable, and its interpreter and loader readable by the "
		       "profile (filesystem.read)";
	}
	set_text(item.what, sizeof(item.what), what);
	set_text(item.why, sizeof(item.why), why);
	set_text(item.hint, sizeof(item.hint), hint);
	denials_add(d, &item);
}

void
denials_layer(struct denials *d, const struct profile *p, const char *layer, const char *why)
{
	struct denial item = { .kind = "layer" };

	set_text(item.what, sizeof(item.what), layer);
	set_text(item.why, sizeof(item.why), why);
	set_text(item.rule, sizeof(item.rule), p->rules[KEY_ALLOW_DEGRADED].place);
	set_text(item.hint, sizeof(item.hint),
		 "`airlock doctor` prints how to get it on this host");
	denials_add(d, &item);
}
