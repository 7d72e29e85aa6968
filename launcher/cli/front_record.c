/* SPDX-License-Identifier: Apache-2.0 */
/* Run by the front: the two parts of the record (docs/formats.md, "Record"), keys in byte order. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/fdio.h"
#include "../base/json.h"
#include "../base/json_find.h"
#include "../base/limits.h"
#include "../base/text.h"
#include "../jail/jail_protocol.h"
#include "front.h"

#define CHANGES_LISTED 1000u
#define ENV_VALUE_KEPT 4096u /* with the equals sign */

/* The payload of a journal entry (docs/formats.md, "Record"). */
static int
write_entry(struct front *f, enum entry_type type, const struct buf *record, struct buf *ret_entry)
{
	int rc;

	buf_reset(ret_entry);
	rc = entry_print(type, f->req.call_text, record->data, record->len, ret_entry);
	if (rc == 0 && ret_entry->len > CAP_JOURNAL_ENTRY) {
		return err_set(&f->err, -E2BIG,
			       "the record would have %zu bytes, more than %u: arguments and "
			       "context are too long",
			       ret_entry->len, CAP_JOURNAL_ENTRY);
	}
	return rc == 0 ? 0 : err_sys(&f->err, rc, "write an entry of the journal");
}

static void
actor(struct json *j, const struct front *f)
{
	/*
	 * The caller's as the host has them; the identity's groups are what is seen inside (the
	 * overflow id).
	 */
	gid_t groups[REPORT_GROUPS_MAX];
	int n = f->req.identity.group_count == 0 ? 0 : getgroups(REPORT_GROUPS_MAX, groups);

	json_begin_object(j);
	json_kv_uint(j, "gid", getegid());
	json_key(j, "groups");
	json_begin_array(j);
	for (int i = 0; i < n; i++) {
		json_uint(j, groups[i]);
	}
	json_end(j);
	json_kv_uint(j, "uid", geteuid());
	json_end(j);
}

static void
argv_digest(const struct request *r, uint8_t ret[32])
{
	struct sha256 hash;

	sha256_init(&hash);
	for (size_t i = 0; i < r->argc; i++) {
		sha256_update(&hash, r->argv[i], strlen(r->argv[i]) + 1);
	}
	sha256_final(&hash, ret);
}

static void
argv_list(struct json *j, const struct request *r)
{
	json_begin_array(j);
	for (size_t i = 0; i < r->argc; i++) {
		json_bytes(j, r->argv[i], strlen(r->argv[i]));
	}
	json_end(j);
}

/* Calls whose held change sets lie below this one, oldest first. */
static void
draft(struct json *j, const struct front *f)
{
	json_begin_array(j);
	for (size_t i = 0; i < f->draft.count; i++) {
		char call[UUID_TEXT_SIZE];

		text_uuid_print(f->draft.items[i].call, call);
		json_str(j, call);
	}
	json_end(j);
}

static void
env_names(struct json *j, const struct request *r)
{
	json_begin_array(j);
	for (size_t i = 0; i < r->envc; i++) {
		json_bytes(j, r->envp[i], strcspn(r->envp[i], "="));
	}
	for (size_t i = 0; i < r->credential_count; i++) {
		if (r->credentials[i].delivery != DELIVERY_FILE) {
			json_bytes(j, r->credentials[i].name, strlen(r->credentials[i].name));
		}
	}
	json_end(j);
}

/* Those that the profile wants kept, as NAME=VALUE. */
static void
env_values(struct json *j, struct front *f)
{
	const struct request *r = &f->req;

	json_begin_array(j);
	for (size_t i = 0; i < r->envc; i++) {
		const char *entry = r->envp[i];
		size_t name_len = strcspn(entry, "=");
		char *name = arena_copy(&f->arena, entry, name_len);

		if (name != NULL && strlen(entry) - name_len <= ENV_VALUE_KEPT &&
		    profile_env_matches(&f->profile->capture_env, name)) {
			json_bytes(j, entry, strlen(entry));
		}
	}
	json_end(j);
}

/* What the profile keeps: with the sizes beside it, what is missing is known to be so. */
static void
capture_bounds(struct json *j, const struct profile *p)
{
	json_begin_object(j);
	json_key(j, "environment");
	json_begin_array(j);
	for (size_t i = 0; i < p->capture_env.count; i++) {
		json_str(j, p->capture_env.items[i]);
	}
	json_end(j);
	json_kv_uint(j, "file_size", p->capture_file_size);
	json_kv_uint(j, "stderr", p->capture_stream[RELAY_STDERR]);
	json_kv_uint(j, "stdin", p->capture_stream[RELAY_STDIN]);
	json_kv_uint(j, "stdout", p->capture_stream[RELAY_STDOUT]);
	json_end(j);
}

static void
decided(struct json *j, const struct front *f)
{
	json_key(j, "policy");
	json_begin_object(j);
	json_kv_str(j, "decision", "allow");
	json_key(j, "digest");
	json_put_null(j); /* there are no policies yet: the profile alone decided */
	json_key(j, "rules");
	json_begin_array(j);
	json_end(j);
	json_end(j);
	json_key(j, "profile");
	json_begin_object(j);
	json_kv_hex(j, "digest", f->profile->digest, 32);
	json_kv_str(j, "name", f->profile->name);
	json_kv_bytes(j, "source", f->profile->source);
	json_end(j);
}

static void
toolchains(struct json *j, const struct toolchains *t)
{
	const char *names[TOOLCHAIN__COUNT];
	size_t count = toolchains_names(t, names);

	json_begin_array(j);
	for (size_t i = 0; i < count; i++) {
		json_str(j, names[i]);
	}
	json_end(j);
}

/* A gateway's traceparent (docs/formats.md, "Context"). */
static void
trace(struct json *j, const struct front *f)
{
	auto_buf text = BUF_INIT;
	bool given = f->req.context != NULL && json_find_text(f->req.context, "trace", &text);

	json_kv_bytes(j, "trace", given ? buf_text(&text) : NULL);
}

static void
workspace(struct json *j, const struct request *r)
{
	json_begin_object(j);
	json_kv_int(j, "btime_ns", r->workspace_btime_ns);
	json_kv_uint(j, "dev", r->workspace_dev);
	json_kv_uint(j, "ino", r->workspace_ino);
	json_key(j, "path");
	json_path(j, r->workspace);
	json_kv_bool(j, "snapshot", r->snapshot);
	json_end(j);
}

static void
rule_paths(struct json *j, const struct rule_paths *paths)
{
	json_begin_array(j);
	for (size_t i = 0; i < paths->count; i++) {
		json_path(j, paths->items[i].path);
	}
	json_end(j);
}

/* Whether every file of that name that the profile was read from is one of airlock's own. */
static bool
came_with_airlock(const struct front *f, const char *origin)
{
	size_t len = strcspn(origin, ":"), dir_len = strlen(f->paths.shipped);
	bool found = false;

	for (size_t i = 0; i < f->profile->files.count; i++) {
		const char *file = f->profile->files.items[i], *slash = strrchr(file, '/');

		if (slash == NULL || strlen(slash + 1) != len ||
		    strncmp(slash + 1, origin, len) != 0) {
			continue;
		}
		if ((size_t)(slash - file) != dir_len ||
		    strncmp(file, f->paths.shipped, dir_len) != 0) {
			return false;
		}
		found = true;
	}
	return found;
}

/* What somebody let the tool read beyond what airlock's own profiles do. */
static void
reads(struct json *j, const struct front *f)
{
	json_begin_array(j);
	for (size_t i = 0; i < f->profile->read_count; i++) {
		const struct rule_path *path = &f->profile->read[i];

		if (came_with_airlock(f, path->origin)) {
			continue;
		}
		json_begin_object(j);
		json_key(j, "path");
		json_path(j, path->path);
		json_kv_str(j, "rule", path->origin);
		json_end(j);
	}
	json_end(j);
}

/* The places of what the profile decided without leaving an event. */
static void
rules(struct json *j, const struct front *f)
{
	const struct profile_rule *r = f->profile->rules;

	json_begin_object(j);
	json_kv_str(j, "environment.pass", r[KEY_ENV_PASS].place);
	json_kv_str(j, "mode", f->req.mode == f->profile->mode ? r[KEY_MODE].place : "--mode");
	json_kv_str(j, "network.loopback", r[KEY_NET_LOOPBACK].place);
	json_kv_str(j, "syscalls.allow", r[KEY_SYSCALLS].place);
	json_end(j);
}

static void
caches(struct json *j, const struct profile *p)
{
	json_begin_array(j);
	for (size_t i = 0; i < p->cache_count; i++) {
		const struct profile_cache *c = &p->caches[i];

		json_begin_object(j);
		json_kv_bool(j, "exec", (c->flags & CACHE_EXEC) != 0);
		json_kv_str(j, "name", c->name);
		json_key(j, "path");
		json_path(j, c->at.path);
		json_kv_str(j, "scope", profile_cache_scope(c->flags));
		json_end(j);
	}
	json_end(j);
}

/* What it is compared by under its key, and what it has of its workflow's budget. */
static void
request(struct json *j, const struct front *f)
{
	static const uint64_t none[BUDGET__COUNT];

	json_kv_hex(j, "request_digest", f->key.request, SHA256_SIZE);
	json_kv_str(j, "request_parts", f->key.parts);
	json_key(j, "reserved");
	json_begin_object(j);
	ledger_put_amounts(j, f->refused ? none : f->reserved, false);
	json_end(j);
	json_kv_str(j, "retry", profile_retry_words[f->profile->retry]);
	json_kv_str(j, "retry_of", f->retry_of);
}

/* Of what it is a part, and where it may write. */
static void
place(struct json *j, const struct front *f)
{
	char workflow[UUID_TEXT_SIZE];

	text_uuid_print(f->workflow, workflow);
	json_kv_str(j, "workflow", workflow);
	json_kv_str(j, "workflow_name", f->workflow_name);
	json_key(j, "workspace");
	workspace(j, &f->req);
	json_kv_path(j, "worktree", f->worktree.common);
	json_key(j, "write");
	rule_paths(j, &f->profile->write);
}

static void
write_planned(struct front *f, struct json *j)
{
	const struct request *r = &f->req;
	uint8_t digest[32];

	json_begin_object(j);
	json_key(j, "actor");
	actor(j, f);
	json_key(j, "argv");
	argv_list(j, r);
	argv_digest(r, digest);
	json_kv_hex(j, "argv_digest", digest, 32);
	json_kv_uint(j, "attempt", f->key.attempt > 0 ? f->key.attempt : 1);
	json_key(j, "caches");
	caches(j, f->profile);
	json_kv_str(j, "call", r->call_text);
	json_kv_str(j, "capture", profile_capture_words[f->profile->capture_inputs]);
	json_key(j, "capture_bounds");
	capture_bounds(j, f->profile);
	json_key(j, "context");
	if (r->context != NULL) {
		json_raw(j, r->context, strlen(r->context));
	} else {
		json_put_null(j);
	}
	json_key(j, "credentials");
	front_lease_json(j, f);
	json_kv_bytes(j, "cwd", r->cwd);
	json_key(j, "draft");
	draft(j, f);
	json_key(j, "env_names");
	env_names(j, r);
	json_key(j, "env_values");
	env_values(j, f);
	json_key(j, "hidden");
	rule_paths(j, &f->profile->hide);
	json_kv_path(j, "input", f->input_path);
	json_kv_bytes(j, "key", r->key);
	json_key(j, "limits");
	front_limits_json(j, &r->limits);
	json_kv_bool(j, "loopback", f->profile->loopback);
	json_kv_str(j, "mode", profile_mode_words[r->mode]);
	json_key(j, "node");
	store_put_node(j);
	json_kv_str(j, "over", f->opt.over != NULL ? f->over_text : NULL);
	json_kv_hex(j, "plan_digest", f->jail.plan_digest, 32);
	decided(j, f);
	json_key(j, "read");
	reads(j, f);
	request(j, f);
	json_key(j, "rules");
	rules(j, f);
	json_kv_uint(j, "seq", f->seq);
	json_kv_str(j, "serves", f->opt.serves);
	json_kv_bytes(j, "step", f->opt.step);
	json_kv_uint(j, "t0", f->t0_ms);
	json_kv_bool(j, "terminal", r->terminal);
	json_kv_bytes(j, "tool", r->exe);
	json_key(j, "toolchains");
	toolchains(j, &f->toolchains);
	trace(j, f);
	json_kv_uint(j, "v", 1);
	place(j, f);
	json_end(j);
}

int
front_record_planned(struct front *f)
{
	auto_buf record = BUF_INIT, entry = BUF_INIT;
	struct json j;
	int rc;

	json_init(&j, &record);
	write_planned(f, &j);
	rc = json_error(&j);
	if (rc < 0) {
		return err_sys(&f->err, rc, "write the planned part");
	}
	rc = write_entry(f, ENTRY_PLANNED, &record, &entry);
	rc = rc < 0 ? rc
		    : journal_append(&f->store, entry.data, entry.len, &f->planned_pos, &f->err);
	f->recorded = rc == 0;
	return rc;
}

static void
change_item(struct json *j, const struct change *c)
{
	json_begin_object(j);
	json_kv_hex(j, "after", c->after_known ? c->after : NULL, 32);
	json_kv_hex(j, "before", c->before_known ? c->before : NULL, 32);
	json_kv_bytes(j, "hold", c->hold_rule);
	json_kv_str(j, "kind", changes_kind_word(c->kind));
	json_kv_uint(j, "mode_after", c->mode_after);
	json_kv_uint(j, "mode_before", c->mode_before);
	json_key(j, "path");
	json_path(j, c->path);
	json_kv_uint(j, "size_after", c->size_after);
	json_kv_uint(j, "size_before", c->size_before);
	json_kv_str(j, "watched", c->watched);
	json_end(j);
}

/* What a person decides about, or is to see, before what is many. */
static int
rank(const struct change *c)
{
	return c->hold != HOLD_NONE ? 0 : c->watched != NULL ? 1 : 2;
}

static size_t
item_size(const struct change *c)
{
	auto_buf out = BUF_INIT;
	struct json j;

	json_init(&j, &out);
	change_item(&j, c);
	return out.len + strlen(",");
}

static int
by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/*
 * The whole list is an object of the pack; what is here must fit a journal entry whatever the names
 * are. Which ones a tool cannot choose: by rank, and only within one in the order of the paths.
 */
static size_t
choose(const struct change_set *cs, size_t room, uint32_t ret_chosen[CHANGES_LISTED])
{
	size_t count = 0;
	bool is_full = false;

	for (int wanted = 0; wanted <= 2; wanted++) {
		for (size_t i = 0; i < cs->count && count < CHANGES_LISTED && !is_full; i++) {
			size_t size = rank(&cs->items[i]) == wanted ? item_size(&cs->items[i]) : 0;

			is_full = size > room;
			if (size > 0 && !is_full) {
				room -= size;
				ret_chosen[count++] = (uint32_t)i;
			}
		}
	}
	qsort(ret_chosen, count, sizeof(ret_chosen[0]), by_number);
	return count;
}

static void
changes(struct json *j, const struct front *f)
{
	const struct change_set *cs = &f->changes;
	uint32_t chosen[CHANGES_LISTED] = { 0 };
	size_t used = j->out->len, room = CAP_JOURNAL_ENTRY / 2;
	size_t listed = choose(cs, used < room ? room - used : 0, chosen);
	bool is_named = f->changes_known && cs->count > 0;

	json_begin_object(j);
	json_kv_uint(j, "bytes", cs->bytes);
	json_kv_uint(j, "created", cs->created);
	json_kv_uint(j, "deleted", cs->deleted);
	json_kv_hex(j, "digest", is_named ? cs->digest : NULL, 32);
	json_kv_uint(j, "held", cs->held);
	json_key(j, "items");
	json_begin_array(j);
	for (size_t i = 0; i < listed; i++) {
		change_item(j, &cs->items[chosen[i]]);
	}
	json_end(j);
	json_kv_uint(j, "links_broken", cs->links_broken);
	json_kv_uint(j, "lost", cs->lost);
	json_kv_hex(j, "meta", is_named ? cs->meta : NULL, 32);
	json_kv_uint(j, "modified", cs->modified);
	json_kv_hex(j, "object", is_named ? cs->object : NULL, 32);
	json_kv_bool(j, "truncated", listed < cs->count);
	json_kv_uint(j, "watched", cs->watched);
	json_end(j);
}

static bool
is_inline(const struct spool *s)
{
	return s->fd < 0 && s->memory.len <= CAP_INLINE_STREAM;
}

/*
 * Into the pack, before anything is committed: a full disk must be met while there is nothing to
 * take back.
 */
int
front_keep_streams(struct front *f)
{
	int rc = 0;

	for (int i = 0; rc == 0 && i < RELAY__COUNT; i++) {
		struct spool *s = &f->relay.spool[i];

		if (s->kept_bytes == 0 || is_inline(s)) {
			continue;
		}
		rc = s->fd >= 0 ? pack_put_file(&f->pack, s->fd, s->kept_bytes, NULL,
						f->stream_object[i], &f->err)
				: pack_put(&f->pack, OBJECT_BLOB, s->memory.data, s->memory.len,
					   f->stream_object[i], &f->err);
	}
	return rc;
}

static void
stream(struct json *j, const struct front *f, enum relay_stream which)
{
	const struct spool *s = &f->relay.spool[which];
	uint8_t digest[32];

	spool_digest(s, digest);
	json_begin_object(j);
	json_kv_uint(j, "bytes", s->total_bytes);
	json_kv_hex(j, "digest", digest, 32);
	if (which == RELAY_STDIN) {
		/* who gave none has told all of it */
		json_kv_bool(j, "eof", f->relay.stdin_ended || f->relay.caller_fd[RELAY_STDIN] < 0);
	}
	if (is_inline(s) && s->kept_bytes > 0) {
		json_key(j, "inline");
		json_base64(j, s->memory.data, s->memory.len);
	}
	json_kv_uint(j, "kept", s->kept_bytes);
	if (!is_inline(s) && s->kept_bytes < s->total_bytes) {
		/* The part that was kept has a name of its own. */
		json_kv_hex(j, "object", f->stream_object[which], 32);
	}
	json_end(j);
}

void
front_changed_json(struct json *j, const struct tree_changed *c)
{
	json_begin_array(j);
	for (size_t i = 0; i < c->kept; i++) {
		json_bytes(j, c->paths[i], strlen(c->paths[i]));
	}
	json_end(j);
}

static void
in_tree(struct json *j, const struct front *f)
{
	const struct tree_counts *c = &f->tree.counts;

	if (!f->tree_known) {
		json_put_null(j);
		return;
	}
	json_begin_object(j);
	json_kv_uint(j, "bytes", c->bytes);
	json_key(j, "changed");
	front_changed_json(j, &f->tree_changed);
	json_kv_uint(j, "changed_count", f->tree_changed.count);
	json_kv_hex(j, "digest", f->tree.digest, 32);
	json_kv_uint(j, "directories", c->directories);
	json_kv_uint(j, "files", c->files);
	json_kv_uint(j, "links", c->links);
	json_kv_bool(j, "unstable", f->tree.unstable);
	json_end(j);
}

static void
degraded(struct json *j, uint32_t bits)
{
	static const struct {
		const char *name;
		uint32_t bits;
	} layers[] = {
/* clang-format off */
#define LAYER(name, bits, what) { name, bits },
#include "../profile/layers.def"
#undef LAYER
		/* clang-format on */
	};

	json_begin_array(j);
	for (size_t i = 0; i < ARRAY_LEN(layers); i++) {
		bool single = __builtin_popcount(layers[i].bits) == 1; /* no name for several */

		if (single && (bits & layers[i].bits) != 0) {
			json_str(j, layers[i].name);
		}
	}
	json_end(j);
}

/* What this call put into its packs: so that none of it can go, come or change unseen. */
static void
objects(struct json *j, const struct pack *p)
{
	uint8_t digest[SHA256_SIZE];

	if (p->added.len == 0) {
		json_put_null(j);
		return;
	}
	sha256_of(p->added.data, p->added.len, digest);
	json_begin_object(j);
	json_kv_uint(j, "bytes", p->stored_bytes);
	json_kv_uint(j, "count", p->added.len / SHA256_SIZE);
	json_kv_hex(j, "digest", digest, SHA256_SIZE);
	json_end(j);
}

static void
ending(struct json *j, const struct front *f)
{
	int signal = f->outcome.signal;

	json_kv_str(j, "mode", profile_mode_words[f->req.mode]);
	json_key(j, "objects");
	objects(j, &f->pack);
	json_kv_bytes(j, "reason", front_reason(f));
	json_kv_str(j, "settled", f->settled);
	json_kv_known(j, "signal", signal != 0, signal);
}

static void
usage(struct json *j, const struct usage *u)
{
	json_begin_object(j);
	json_kv_uint(j, "cpu_ms", u->cpu_ms);
	json_kv_uint(j, "disk_bytes", u->disk_bytes);
	json_kv_uint(j, "memory_peak", u->memory_peak_bytes);
	json_kv_uint(j, "pids_peak", u->pids_peak);
	json_kv_uint(j, "wall_ms", u->wall_ms);
	json_end(j);
}

static int
write_outcome(struct front *f, struct json *j)
{
	const struct outcome *o = &f->outcome;

	json_begin_object(j);
	json_key(j, "attestation");
	if (o->attestation.len > 0) {
		json_raw(j, buf_text(&o->attestation), o->attestation.len);
	} else {
		json_put_null(j);
	}
	json_kv_str(j, "call", f->req.call_text);
	json_key(j, "cgroup_events");
	json_begin_object(j);
	json_kv_uint(j, "oom_kills", o->usage.oom_kills);
	json_kv_uint(j, "pids_max", o->usage.pids_max_events);
	json_end(j);
	json_key(j, "changes");
	changes(j, f);
	json_key(j, "credentials");
	front_lease_outcome_json(j, f);
	json_key(j, "degraded");
	degraded(j, f->req.degraded);
	json_key(j, "denials");
	denials_write(&o->denials, j);
	json_kv_uint(j, "denials_dropped", o->denials.dropped);
	json_key(j, "done_when");
	front_checks_json(j, f);
	json_kv_known(j, "exit", o->exit_code >= 0, o->exit_code);
	json_kv_str(j, "held_as", f->held_as);
	json_key(j, "in_tree");
	in_tree(j, f);
	json_key(j, "labels_after");
	json_begin_array(j);
	json_end(j);
	json_key(j, "leaks");
	front_leaks_json(j, f);
	json_key(j, "missing_layers");
	denials_write(&f->layers, j);
	ending(j, f);
	json_kv_int(j, "status", front_exit_status(f));
	json_key(j, "stderr");
	stream(j, f, RELAY_STDERR);
	json_key(j, "stdin");
	stream(j, f, RELAY_STDIN);
	json_key(j, "stdout");
	stream(j, f, RELAY_STDOUT);
	json_kv_uint(j, "t1", f->t1_ms);
	json_key(j, "usage");
	usage(j, &o->usage);
	json_kv_uint(j, "v", 1);
	json_kv_str(j, "verdict", verdict_name(o->verdict));
	json_key(j, "warnings");
	json_begin_array(j);
	for (size_t i = 0; i < f->warning_count; i++) {
		json_bytes(j, f->warnings[i], strlen(f->warnings[i]));
	}
	json_end(j);
	json_end(j);
	return json_error(j);
}

int
front_outcome_entry(struct front *f, struct buf *ret_entry)
{
	auto_buf record = BUF_INIT;
	struct json j;
	int rc;

	f->t1_ms = clock_realtime_ms();
	json_init(&j, &record);
	rc = write_outcome(f, &j);
	if (rc < 0) {
		return err_sys(&f->err, rc, "write the outcome part");
	}
	return write_entry(f, ENTRY_OUTCOME, &record, ret_entry);
}

int
front_record_outcome(struct front *f)
{
	struct journal_pos pos;
	int rc = f->outcome_entry.len > 0 ? 0 : front_outcome_entry(f, &f->outcome_entry);

	rc = rc < 0 ? rc : pack_sync(&f->pack, &f->err);
	if (rc < 0) {
		return rc;
	}
	rc = journal_append(&f->store, f->outcome_entry.data, f->outcome_entry.len, &pos, &f->err);
	if (rc == 0) {
		/* Losing the list only costs storing the same bytes once more. */
		ignore_err(pack_publish(&f->pack), "the outcome is durable without it");
		commit_close(f->commit);
		f->commit = NULL;
		workspace_lock_release(&f->lock);
	}
	return rc;
}
