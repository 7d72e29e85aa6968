/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Effective values to the finished struct profile, and to the canonical JSON that its digest is
 * made of. Runs in airlock-cli, as the caller; the values were checked by profile_values.c. No I/O.
 *
 * The JSON has each effective key once, sorted, lists sorted, quantities in base units, "~/" as
 * written: the digest names the same decision for every user, whatever the file's name, order and
 * comments.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../base/json.h"
#include "../base/sha256.h"
#include "profile_internal.h"

static int
compare_items(const void *a, const void *b)
{
	const struct profile_item *x = a, *y = b;

	return strcmp(x->text, y->text);
}

static int
compare_numbers(const void *a, const void *b)
{
	const struct profile_item *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number ? 1 : 0;
}

/* ---- canonical JSON -------------------------------------------------------------------------- */

static uint32_t
all_bits(const struct profile_value *v)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < v->count; i++) {
		bits |= (uint32_t)v->items[i].number;
	}
	return bits;
}

/* Single layers only, so that [cgroup] and its three parts are the same decision. */
static void
put_layers(struct json *j, const struct profile_value *v)
{
	size_t count;
	const struct profile_bits *layers = profile_layers(&count);
	uint32_t bits = all_bits(v);

	for (size_t i = 0; i < count; i++) {
		bool single = (layers[i].bits & (layers[i].bits - 1)) == 0;

		if (single && (bits & layers[i].bits) != 0) {
			json_str(j, layers[i].name);
		}
	}
}

/*
 * `all`, or the names: who grants all of them grants the next one as well, so the digest of that
 * decision does not change with the table.
 */
static void
put_toolchains(struct json *j, const struct profile_value *v)
{
	size_t count;
	const struct profile_bits *rows = profile_toolchains(&count);
	uint32_t bits = all_bits(v);

	for (size_t i = 0; i < count && bits != 0; i++) {
		if ((bits & rows[i].bits) == rows[i].bits) {
			json_str(j, rows[i].name);
			bits &= ~rows[i].bits;
		}
	}
}

static int
put_list(struct json *j, const struct profile_key *key, const struct profile_value *v)
{
	auto_free struct profile_item *sorted = calloc(v->count + 1, sizeof(*sorted));
	bool numbers = key->type == TYPE_EXITS;
	bool bits = key->type == TYPE_LAYERS || key->type == TYPE_TOOLCHAINS;

	if (sorted == NULL) {
		return -ENOMEM;
	}
	if (v->count > 0) {
		memcpy(sorted, v->items, v->count * sizeof(*sorted));
	}
	qsort(sorted, v->count, sizeof(*sorted), numbers ? compare_numbers : compare_items);
	json_begin_array(j);
	if (key->type == TYPE_LAYERS) {
		put_layers(j, v);
	} else if (key->type == TYPE_TOOLCHAINS) {
		put_toolchains(j, v);
	}
	for (size_t i = 0; i < v->count && !bits; i++) {
		if (numbers) {
			json_uint(j, sorted[i].number);
		} else if (sorted[i].value != NULL) {
			/* Not an object: a name may be longer than a key of the JSON writer. */
			json_begin_array(j);
			json_str(j, sorted[i].text);
			json_str(j, sorted[i].value);
			json_end(j);
		} else {
			json_str(j, sorted[i].text);
		}
	}
	json_end(j);
	return 0;
}

static int
put_value(struct json *j, const struct profile_key *key, const struct profile_value *v)
{
	size_t count;
	const char *const *words = profile_type_words(key->type, &count);

	if (profile_type_shape(key->type) != SHAPE_SCALAR) {
		return put_list(j, key, v);
	}
	if (key->type == TYPE_BOOL) {
		json_bool(j, v->number != 0);
	} else if (words != NULL) {
		json_str(j, words[v->number]);
	} else if (profile_type_is_text(key->type)) {
		json_str(j, v->text);
	} else {
		json_uint(j, v->number);
	}
	return 0;
}

/* How a profile came about, and what is asked of it, is no part of what it allows. */
static bool
is_canonical(const struct profile_key *key)
{
	return key->id != KEY_EXTENDS && key->id != KEY_OPEN && key->id != KEY_TESTS_ALLOW &&
	       key->id != KEY_TESTS_DENY;
}

int
profile_canonical(const struct profile_doc *doc, struct buf *out)
{
	const struct profile_key *sorted[KEY__COUNT];
	char section[32] = "";
	struct json j;

	profile_keys_sorted(sorted);
	json_init(&j, out);
	json_begin_object(&j);
	for (unsigned int i = 0; i < KEY__COUNT; i++) {
		const struct profile_key *key = sorted[i];
		const char *dot = strchr(key->name, '.');
		size_t len = dot != NULL ? (size_t)(dot - key->name) : 0;
		int rc;

		if (!is_canonical(key)) {
			continue;
		}
		if (section[0] != '\0' &&
		    (strlen(section) != len || strncmp(section, key->name, len) != 0)) {
			json_end(&j);
			section[0] = '\0';
		}
		if (dot != NULL && section[0] == '\0') {
			snprintf(section, sizeof(section), "%.*s", (int)len, key->name);
			json_key(&j, section);
			json_begin_object(&j);
		}
		json_key(&j, dot != NULL ? dot + 1 : key->name);
		rc = put_value(&j, key, &doc->values[key->id]);
		if (rc < 0) {
			return rc;
		}
	}
	if (section[0] != '\0') {
		json_end(&j);
	}
	json_end(&j);
	return json_error(&j);
}

/* ---- the struct ------------------------------------------------------------------------------ */

struct build {
	struct profile_arena *arena;
	const struct profile_doc *doc;
	const char *home;
};

static const char *
copy_text(const struct build *b, const char *text)
{
	const char *copy = profile_arena_text(b->arena, text, strlen(text));

	return copy != NULL ? copy : "";
}

/* "~/x" below the caller's home; all else as it is. */
static const char *
expand(const struct build *b, const char *path)
{
	auto_buf text = BUF_INIT;

	if (path[0] != '~') {
		return copy_text(b, path);
	}
	buf_puts(&text, b->home);
	buf_puts(&text, path + 1);
	b->arena->failed |= text.failed;
	return copy_text(b, buf_text(&text));
}

static int
compare_texts(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

static void
build_strings(const struct build *b, enum profile_key_id id, bool paths, struct strings *ret)
{
	const struct profile_value *v = &b->doc->values[id];
	const char **items = profile_arena_get(b->arena, v->count + 1, sizeof(*items));

	if (items == NULL) {
		return;
	}
	for (size_t i = 0; i < v->count; i++) {
		items[i] = paths ? expand(b, v->items[i].text) : copy_text(b, v->items[i].text);
	}
	qsort(items, v->count, sizeof(*items), compare_texts);
	ret->items = items;
	ret->count = v->count;
}

static int
compare_reads(const void *a, const void *b)
{
	const struct rule_path *x = a, *y = b;

	return strcmp(x->path, y->path);
}

/* "python.yaml:14"; the name alone, because paths are long and the source is in the record. */
static const char *
place_of(const struct build *b, const struct profile_place *at)
{
	const char *slash;
	char text[512];

	if (at->line == 0) {
		return copy_text(b, "built-in");
	}
	slash = strrchr(at->source->path, '/');
	snprintf(text, sizeof(text), "%s:%u", slash != NULL ? slash + 1 : at->source->path,
		 at->line);
	return copy_text(b, text);
}

/* `open` speaks of one's own children, so it holds for the file that is built and no other. */
static void
build_rules(const struct build *b, struct profile *p)
{
	const struct profile_value *open = &b->doc->values[KEY_OPEN];

	for (unsigned int i = 0; i < KEY__COUNT; i++) {
		const struct profile_value *v = &b->doc->values[i];

		p->rules[i].place = place_of(b, &v->at);
		p->rules[i].flags = b->doc->may_widen[i] ? RULE_WIDEN : 0;
		if (v->at.line > 0 && v->at.source == b->doc->source) {
			p->rules[i].flags |= RULE_OWN;
		}
	}
	for (size_t i = 0; i < open->count; i++) {
		const struct profile_key *key = profile_key_find(open->items[i].text);

		if (key != NULL) {
			p->rules[key->id].flags |= RULE_OPEN;
		}
	}
}

static void
build_reads(const struct build *b, struct profile *p)
{
	const struct profile_value *v = &b->doc->values[KEY_FS_READ];
	size_t kept = 0;

	p->read = profile_arena_get(b->arena, v->count + 1, sizeof(*p->read));
	if (p->read == NULL) {
		return;
	}
	for (size_t i = 0; i < v->count; i++) {
		p->read[i].path = expand(b, v->items[i].text);
		p->read[i].origin = place_of(b, &v->items[i].at);
	}
	qsort(p->read, v->count, sizeof(*p->read), compare_reads);
	/* "~/x" and the same path written out meet only here. */
	for (size_t i = 0; i < v->count; i++) {
		if (kept == 0 || strcmp(p->read[kept - 1].path, p->read[i].path) != 0) {
			p->read[kept++] = p->read[i];
		}
	}
	p->read_count = kept;
}

static void
build_paths(const struct build *b, enum profile_key_id id, struct rule_paths *ret)
{
	const struct profile_value *v = &b->doc->values[id];
	struct rule_path *items = profile_arena_get(b->arena, v->count + 1, sizeof(*items));

	if (items == NULL) {
		return;
	}
	for (size_t i = 0; i < v->count; i++) {
		items[i].path = expand(b, v->items[i].text);
		items[i].origin = place_of(b, &v->items[i].at);
	}
	qsort(items, v->count, sizeof(*items), compare_reads);
	ret->items = items;
	ret->count = v->count;
}

static int
compare_caches(const void *a, const void *b)
{
	const struct profile_cache *x = a, *y = b;

	return strcmp(x->at.path, y->at.path);
}

static void
build_caches(const struct build *b, struct profile *p)
{
	const struct profile_value *v = &b->doc->values[KEY_FS_CACHE];

	p->caches = profile_arena_get(b->arena, v->count + 1, sizeof(*p->caches));
	for (size_t i = 0; p->caches != NULL && i < v->count; i++) {
		p->caches[i] = (struct profile_cache){
			.name = copy_text(b, v->items[i].text),
			.at = { expand(b, v->items[i].path), place_of(b, &v->items[i].at) },
			.flags = (uint32_t)v->items[i].number,
		};
	}
	p->cache_count = p->caches != NULL ? v->count : 0;
	if (p->cache_count > 0) {
		qsort(p->caches, p->cache_count, sizeof(*p->caches), compare_caches);
	}
}

static struct hold_bound
hold_bound(const struct build *b, const char *name)
{
	const struct profile_item *item =
		profile_item_find(&b->doc->values[KEY_FS_HOLD_ABOVE], name);

	if (item == NULL) {
		return (struct hold_bound){ UINT64_MAX, "" };
	}
	return (struct hold_bound){ item->number, place_of(b, &item->at) };
}

/* In the order of the files: a parent's first. */
static void
build_checks(const struct build *b, struct profile *p)
{
	const struct profile_value *v = &b->doc->values[KEY_DONE_WHEN];

	p->checks = profile_arena_get(b->arena, v->count + 1, sizeof(*p->checks));
	for (size_t i = 0; p->checks != NULL && i < v->count; i++) {
		const struct profile_check *from = v->items[i].check;
		struct profile_check *to = &p->checks[i];
		const char **words =
			profile_arena_get(b->arena, from->run.count + 1, sizeof(*words));

		*to = *from;
		to->name = copy_text(b, from->name);
		to->profile = from->profile != NULL ? expand(b, from->profile) : NULL;
		for (size_t k = 0; words != NULL && k < from->run.count; k++) {
			words[k] = copy_text(b, from->run.items[k]);
		}
		to->run.items = words;
		p->check_count++;
	}
}

static void
build_env_set(const struct build *b, struct profile *p)
{
	const struct profile_value *v = &b->doc->values[KEY_ENV_SET];

	if (v->count > 0) {
		qsort(v->items, v->count, sizeof(*v->items), compare_items);
	}
	p->env_set = profile_arena_get(b->arena, v->count + 1, sizeof(*p->env_set));
	for (size_t i = 0; p->env_set != NULL && i < v->count; i++) {
		p->env_set[i].name = copy_text(b, v->items[i].text);
		p->env_set[i].value = copy_text(b, v->items[i].value);
	}
	p->env_set_count = p->env_set != NULL ? v->count : 0;
}

static void
build_limits(const struct profile_doc *doc, struct limits *ret)
{
	ret->memory_bytes = doc->values[KEY_LIM_MEMORY].number;
	ret->pids = doc->values[KEY_LIM_PIDS].number;
	ret->cpu_percent = doc->values[KEY_LIM_CPU].number;
	ret->cpu_time_ms = doc->values[KEY_LIM_CPU_TIME].number;
	ret->wall_ms = doc->values[KEY_LIM_WALL].number;
	ret->disk_bytes = doc->values[KEY_LIM_DISK].number;
	ret->files = doc->values[KEY_LIM_FILES].number;
	ret->output_bytes = doc->values[KEY_LIM_OUTPUT].number;
	ret->open_files = doc->values[KEY_LIM_OPEN_FILES].number;
}

static void
build_fields(const struct build *b, struct profile *p)
{
	const struct profile_value *v = b->doc->values;

	p->name = copy_text(b, v[KEY_NAME].text);
	p->description = copy_text(b, v[KEY_DESCRIPTION].text);
	p->source = copy_text(b, b->doc->source->path);
	p->owner_permissions = copy_text(b, v[KEY_OWNERS_PERMISSIONS].text);
	p->owner_incidents = copy_text(b, v[KEY_OWNERS_INCIDENTS].text);
	build_rules(b, p);
	build_strings(b, KEY_TOOL_RUN, true, &p->tool_run);
	for (size_t i = 0; i < v[KEY_EFFECTS].count; i++) {
		p->effects |= 1u << v[KEY_EFFECTS].items[i].number;
	}
	p->mode = (enum mode)v[KEY_MODE].number;
	for (size_t i = 0; i < v[KEY_SUCCESS].count; i++) {
		uint64_t code = v[KEY_SUCCESS].items[i].number;

		p->success[code / 8] |= (uint8_t)(1u << (code % 8));
	}
	build_reads(b, p);
	p->toolchains = all_bits(&v[KEY_TOOLCHAINS]);
	build_paths(b, KEY_FS_WRITE, &p->write);
	build_caches(b, p);
	build_paths(b, KEY_FS_HIDE, &p->hide);
	build_strings(b, KEY_FS_PROTECT, false, &p->protect);
	p->hold_files = hold_bound(b, "files");
	p->hold_bytes = hold_bound(b, "bytes");
	p->observe_writes = (enum observe_writes)v[KEY_OBSERVE_WRITES].number;
	p->workspace = (enum workspace_kind)v[KEY_WORKSPACE].number;
	p->loopback = v[KEY_NET_LOOPBACK].number != 0;
	p->git_identity = v[KEY_GIT_IDENTITY].number != 0;
	p->git_worktree = v[KEY_GIT_WORKTREE].number != 0;
	p->git_name = p->git_email = "";
	build_strings(b, KEY_CREDENTIALS, false, &p->credentials);
	build_strings(b, KEY_ENV_PASS, false, &p->env_pass);
	build_strings(b, KEY_ENV_ACCEPT, false, &p->env_accept);
	build_env_set(b, p);
	build_strings(b, KEY_SYSCALLS, false, &p->syscalls);
	build_limits(b->doc, &p->limits);
	p->retry = (enum retry)v[KEY_RETRY].number;
	p->on_leak = (enum on_leak)v[KEY_LEAK].number;
	p->on_failure = (enum on_failure)v[KEY_ON_FAILURE].number;
	p->retries = (uint8_t)v[KEY_ON_FAILURE_RETRIES].number;
	p->backoff_ms = (uint32_t)v[KEY_ON_FAILURE_BACKOFF].number;
	build_checks(b, p);
	p->allow_degraded = all_bits(&v[KEY_ALLOW_DEGRADED]);
	p->capture_inputs = (enum capture_inputs)v[KEY_CAPTURE_INPUTS].number;
	p->capture_file_size = v[KEY_CAPTURE_FILE_SIZE].number;
	p->capture_stream[0] = v[KEY_CAPTURE_STDIN].number;
	p->capture_stream[1] = v[KEY_CAPTURE_STDOUT].number;
	p->capture_stream[2] = v[KEY_CAPTURE_STDERR].number;
	build_strings(b, KEY_CAPTURE_ENV, false, &p->capture_env);
}

int
profile_build(const struct profile_doc *doc, const char *home, struct profile **ret)
{
	auto_arena a = { .chunks = NULL, .failed = false };
	const struct build b = { &a, doc, home };
	auto_buf json = BUF_INIT;
	struct profile *p = profile_arena_get(&a, 1, sizeof(*p));
	int rc;

	if (p == NULL) {
		return -ENOMEM;
	}
	build_fields(&b, p);
	rc = profile_canonical(doc, &json);
	if (rc < 0 || a.failed) {
		return rc < 0 ? rc : -ENOMEM;
	}
	sha256_of(json.data, json.len, p->digest);
	p->arena = take_ptr(a.chunks);
	*ret = p;
	return 0;
}
