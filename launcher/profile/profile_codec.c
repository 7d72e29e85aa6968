/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cache file of a compiled profile. Encoded by airlock-cli, decoded by the static front as the
 * caller. Trusts nothing in the bytes: every length, count, enum and bool is checked, so damage is
 * -EBADMSG and never a crash; that the content is right rests on the file being the caller's own.
 *
 * Bytes (little endian; text is u32 length, bytes, NUL):
 *   "ALPC", u32 crc32 of all that follows, u16 CODEC_VERSION, airlock version, kernel release,
 *   u32 dependencies, each { path, u8 present, u64 dev ino size, i64 mtime_ns ctime_ns },
 *   then the profile, field by field in the order of put_profile().
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/crc32.h"
#include "profile_internal.h"

#define CODEC_MAGIC "ALPC"
#define CODEC_VERSION 11u
#define CODEC_HEAD 8u /* magic and crc */
#define CHUNK_SIZE 16384u

/* ---- arena ----------------------------------------------------------------------------------- */

void
profile_arena_finish(struct profile_arena *a)
{
	while (a->chunks != NULL) {
		struct profile_chunk *next = a->chunks->next;

		free(a->chunks);
		a->chunks = next;
	}
}

void *
profile_arena_get(struct profile_arena *a, size_t count, size_t size)
{
	struct profile_chunk *c = a->chunks;
	size_t want;
	void *p;

	if (size != 0 && count > (SIZE_MAX / 4) / size) {
		a->failed = true;
		return NULL;
	}
	want = (count * size + 15u) & ~(size_t)15u;
	if (c == NULL || c->size - c->used < want) {
		size_t room = want > CHUNK_SIZE ? want : CHUNK_SIZE;

		c = calloc(1, sizeof(*c) + room);
		if (c == NULL) {
			a->failed = true;
			return NULL;
		}
		c->size = room;
		c->next = a->chunks;
		a->chunks = c;
	}
	p = c->bytes + c->used;
	c->used += want;
	return p;
}

char *
profile_arena_text(struct profile_arena *a, const char *text, size_t len)
{
	char *copy = profile_arena_get(a, len + 1, 1);

	if (copy != NULL && len > 0) {
		memcpy(copy, text, len);
	}
	return copy;
}

/* A profile's arena holds the struct profile itself, so it is kept as the list's head only. */
void
profile_destroy(struct profile *p)
{
	struct profile_arena a = { .chunks = NULL, .failed = false };

	if (p != NULL) {
		a.chunks = p->arena;
		profile_arena_finish(&a);
	}
}

/* ---- encode ---------------------------------------------------------------------------------- */

static void
put_strings(struct buf *b, const struct strings *s)
{
	buf_u32(b, (uint32_t)s->count);
	for (size_t i = 0; i < s->count; i++) {
		buf_str(b, s->items[i]);
	}
}

static void
put_filter(struct buf *b, const struct sock_filter *insns, uint16_t len)
{
	buf_u16(b, len);
	for (uint16_t i = 0; i < len; i++) {
		buf_u16(b, insns[i].code);
		buf_u8(b, insns[i].jt);
		buf_u8(b, insns[i].jf);
		buf_u32(b, insns[i].k);
	}
}

static void
put_limits(struct buf *b, const struct limits *l)
{
	buf_u64(b, l->memory_bytes);
	buf_u64(b, l->pids);
	buf_u64(b, l->cpu_percent);
	buf_u64(b, l->cpu_time_ms);
	buf_u64(b, l->wall_ms);
	buf_u64(b, l->disk_bytes);
	buf_u64(b, l->files);
	buf_u64(b, l->output_bytes);
	buf_u64(b, l->open_files);
}

static void
put_paths(struct buf *b, const struct rule_path *items, size_t count)
{
	buf_u32(b, (uint32_t)count);
	for (size_t i = 0; i < count; i++) {
		buf_str(b, items[i].path);
		buf_str(b, items[i].origin);
	}
}

static void
put_bound(struct buf *b, const struct hold_bound *bound)
{
	buf_u64(b, bound->most);
	buf_str(b, bound->origin);
}

static void
put_caches(struct buf *b, const struct profile *p)
{
	buf_u32(b, (uint32_t)p->cache_count);
	for (size_t i = 0; i < p->cache_count; i++) {
		buf_str(b, p->caches[i].name);
		buf_str(b, p->caches[i].at.path);
		buf_str(b, p->caches[i].at.origin);
		buf_u32(b, p->caches[i].flags);
	}
}

static void
put_checks(struct buf *b, const struct profile *p)
{
	buf_u32(b, (uint32_t)p->check_count);
	for (size_t i = 0; i < p->check_count; i++) {
		const struct profile_check *c = &p->checks[i];

		buf_str(b, c->name);
		buf_str(b, c->profile != NULL ? c->profile : "");
		put_strings(b, &c->run);
		buf_u8(b, c->exit);
		buf_u64(b, c->wall_ms);
	}
}

static void
put_profile(struct buf *b, const struct profile *p)
{
	buf_str(b, p->name);
	buf_str(b, p->description);
	buf_str(b, p->source);
	put_strings(b, &p->files);
	buf_str(b, p->owner_permissions);
	buf_str(b, p->owner_incidents);
	buf_u8(b, p->shipped ? 1 : 0);
	for (unsigned int i = 0; i < KEY__COUNT; i++) {
		buf_str(b, p->rules[i].place);
		buf_u8(b, (uint8_t)p->rules[i].flags);
	}
	buf_put(b, p->digest, sizeof(p->digest));
	put_strings(b, &p->tool_run);
	buf_u32(b, p->effects);
	buf_u8(b, (uint8_t)p->mode);
	buf_put(b, p->success, sizeof(p->success));
	put_paths(b, p->read, p->read_count);
	buf_u32(b, p->toolchains);
	put_paths(b, p->write.items, p->write.count);
	put_caches(b, p);
	put_paths(b, p->hide.items, p->hide.count);
	put_strings(b, &p->protect);
	put_bound(b, &p->hold_files);
	put_bound(b, &p->hold_bytes);
	buf_u8(b, (uint8_t)p->observe_writes);
	buf_u8(b, (uint8_t)p->workspace);
	buf_u8(b, p->loopback ? 1 : 0);
	buf_u8(b, p->git_identity ? 1 : 0);
	buf_u8(b, p->git_worktree ? 1 : 0);
	buf_str(b, p->git_name);
	buf_str(b, p->git_email);
	put_strings(b, &p->credentials);
	buf_u8(b, (uint8_t)p->on_leak);
	put_strings(b, &p->env_pass);
	put_strings(b, &p->env_accept);
	buf_u32(b, (uint32_t)p->env_set_count);
	for (size_t i = 0; i < p->env_set_count; i++) {
		buf_str(b, p->env_set[i].name);
		buf_str(b, p->env_set[i].value);
	}
	put_strings(b, &p->syscalls);
	put_limits(b, &p->limits);
	buf_u32(b, p->allow_degraded);
	buf_u8(b, (uint8_t)p->retry);
	buf_u8(b, (uint8_t)p->on_failure);
	buf_u8(b, p->retries);
	buf_u32(b, p->backoff_ms);
	put_checks(b, p);
	buf_u8(b, (uint8_t)p->capture_inputs);
	buf_u64(b, p->capture_file_size);
	for (size_t i = 0; i < ARRAY_LEN(p->capture_stream); i++) {
		buf_u64(b, p->capture_stream[i]);
	}
	put_strings(b, &p->capture_env);
	put_filter(b, p->filter, p->filter_len);
	buf_put(b, p->filter_digest, sizeof(p->filter_digest));
	put_filter(b, p->init_filter, p->init_filter_len);
}

void
profile_encode(const struct profile *p, const struct profile_dep *deps, size_t dep_count,
	       const char *kernel_release, struct buf *out)
{
	size_t start = out->len;
	uint32_t crc;

	buf_put(out, CODEC_MAGIC, 4);
	buf_u32(out, 0);
	buf_u16(out, CODEC_VERSION);
	buf_str(out, AIRLOCK_VERSION);
	buf_str(out, kernel_release);
	buf_u32(out, (uint32_t)dep_count);
	for (size_t i = 0; i < dep_count; i++) {
		buf_str(out, deps[i].path);
		buf_u8(out, deps[i].present ? 1 : 0);
		buf_u64(out, deps[i].dev);
		buf_u64(out, deps[i].ino);
		buf_u64(out, deps[i].size);
		buf_u64(out, (uint64_t)deps[i].mtime_ns);
		buf_u64(out, (uint64_t)deps[i].ctime_ns);
	}
	put_profile(out, p);
	if (out->failed) {
		return;
	}
	crc = crc32_update(0, out->data + start + CODEC_HEAD, out->len - start - CODEC_HEAD);
	for (unsigned int i = 0; i < 4; i++) {
		out->data[start + 4 + i] = (uint8_t)(crc >> (8 * i));
	}
}

/* ---- decode ---------------------------------------------------------------------------------- */

/* A count of entries that take at least `least` bytes each; bad when the bytes cannot hold them. */
static size_t
get_count(struct rd *r, size_t least, size_t most)
{
	size_t count = rd_u32(r);

	if (r->bad || count > most || count > r->left / least) {
		r->bad = true;
		return 0;
	}
	return count;
}

static const char *
get_text(struct rd *r, struct profile_arena *a)
{
	const char *text = rd_str(r);
	const char *copy = r->bad ? NULL : profile_arena_text(a, text, strlen(text));

	return copy != NULL ? copy : "";
}

static bool
get_bool(struct rd *r)
{
	uint8_t v = rd_u8(r);

	r->bad |= v > 1;
	return v == 1;
}

static unsigned int
get_enum(struct rd *r, unsigned int count)
{
	uint8_t v = rd_u8(r);

	if (v >= count) {
		r->bad = true;
		return 0;
	}
	return v;
}

static uint32_t
get_mask(struct rd *r, uint32_t known)
{
	uint32_t v = rd_u32(r);

	r->bad |= (v & ~known) != 0;
	return v & known;
}

static void
get_raw(struct rd *r, void *to, size_t len)
{
	const uint8_t *p = rd_bytes(r, len);

	if (p != NULL) {
		memcpy(to, p, len);
	}
}

static void
get_strings(struct rd *r, struct profile_arena *a, struct strings *ret)
{
	size_t count = get_count(r, 5, PROFILE_LIST_MAX);
	const char **items = profile_arena_get(a, count + 1, sizeof(*items));

	if (items == NULL) {
		return;
	}
	for (size_t i = 0; i < count; i++) {
		items[i] = get_text(r, a);
	}
	ret->items = items;
	ret->count = count;
}

static const struct sock_filter *
get_filter(struct rd *r, struct profile_arena *a, uint16_t *ret_len)
{
	uint16_t len = rd_u16(r);
	struct sock_filter *insns;

	if (r->bad || len > BPF_MAXINSNS || (size_t)len > r->left / 8) {
		r->bad = true;
		return NULL;
	}
	if (len == 0) {
		return NULL;
	}
	insns = profile_arena_get(a, len, sizeof(*insns));
	if (insns == NULL) {
		return NULL;
	}
	for (uint16_t i = 0; i < len; i++) {
		insns[i].code = rd_u16(r);
		insns[i].jt = rd_u8(r);
		insns[i].jf = rd_u8(r);
		insns[i].k = rd_u32(r);
	}
	*ret_len = len;
	return insns;
}

/* A limit of 0 would mean "none" to some kernel files, so it is damage. */
static uint64_t
get_limit(struct rd *r)
{
	uint64_t v = rd_u64(r);

	r->bad |= v == 0;
	return v;
}

static void
get_limits(struct rd *r, struct limits *ret)
{
	ret->memory_bytes = get_limit(r);
	ret->pids = get_limit(r);
	ret->cpu_percent = get_limit(r);
	ret->cpu_time_ms = get_limit(r);
	ret->wall_ms = get_limit(r);
	ret->disk_bytes = get_limit(r);
	ret->files = get_limit(r);
	ret->output_bytes = get_limit(r);
	ret->open_files = get_limit(r);
}

static struct rule_path *
get_paths(struct rd *r, struct profile_arena *a, bool absolute, size_t *ret_count)
{
	size_t count = get_count(r, 10, PROFILE_LIST_MAX);
	struct rule_path *items = profile_arena_get(a, count + 1, sizeof(*items));

	for (size_t i = 0; items != NULL && i < count; i++) {
		items[i].path = get_text(r, a);
		items[i].origin = get_text(r, a);
		r->bad |= absolute != (items[i].path[0] == '/');
	}
	*ret_count = items != NULL ? count : 0;
	return items;
}

static void
get_env_set(struct rd *r, struct profile_arena *a, struct profile *p)
{
	size_t count = get_count(r, 10, PROFILE_LIST_MAX);

	p->env_set = profile_arena_get(a, count + 1, sizeof(*p->env_set));
	for (size_t i = 0; p->env_set != NULL && i < count; i++) {
		p->env_set[i].name = get_text(r, a);
		p->env_set[i].value = get_text(r, a);
	}
	p->env_set_count = p->env_set != NULL ? count : 0;
}

static void
get_bound(struct rd *r, struct profile_arena *a, struct hold_bound *ret)
{
	ret->most = rd_u64(r);
	ret->origin = get_text(r, a);
}

/* A name is a file name in the state directory: it leads nowhere else. */
static void
get_caches(struct rd *r, struct profile_arena *a, struct profile *p)
{
	size_t count = get_count(r, 19, PROFILE_LIST_MAX);

	p->caches = profile_arena_get(a, count + 1, sizeof(*p->caches));
	for (size_t i = 0; p->caches != NULL && i < count; i++) {
		struct profile_cache *c = &p->caches[i];

		c->name = get_text(r, a);
		c->at.path = get_text(r, a);
		c->at.origin = get_text(r, a);
		c->flags = get_mask(r, CACHE_ALL);
		r->bad |= c->name[0] == '\0' || c->name[0] == '.' ||
			  strchr(c->name, '/') != NULL || c->at.path[0] != '/';
	}
	p->cache_count = p->caches != NULL ? count : 0;
}

static void
get_checks(struct rd *r, struct profile_arena *a, struct profile *p)
{
	size_t count = get_count(r, 23, PROFILE_LIST_MAX);

	p->checks = profile_arena_get(a, count + 1, sizeof(*p->checks));
	for (size_t i = 0; p->checks != NULL && i < count; i++) {
		struct profile_check *c = &p->checks[i];

		c->name = get_text(r, a);
		c->profile = get_text(r, a);
		c->profile = c->profile[0] != '\0' ? c->profile : NULL;
		get_strings(r, a, &c->run);
		c->exit = rd_u8(r);
		c->wall_ms = rd_u64(r);
		r->bad |= c->run.count == 0;
	}
	p->check_count = p->checks != NULL ? count : 0;
}

static void
get_profile(struct rd *r, struct profile_arena *a, struct profile *p)
{
	p->name = get_text(r, a);
	p->description = get_text(r, a);
	p->source = get_text(r, a);
	get_strings(r, a, &p->files);
	p->owner_permissions = get_text(r, a);
	p->owner_incidents = get_text(r, a);
	p->shipped = get_bool(r);
	for (unsigned int i = 0; i < KEY__COUNT; i++) {
		p->rules[i].place = get_text(r, a);
		p->rules[i].flags = get_enum(r, RULE_ALL + 1);
	}
	get_raw(r, p->digest, sizeof(p->digest));
	get_strings(r, a, &p->tool_run);
	p->effects = get_mask(r, EFFECT_READ | EFFECT_WRITE_WORKSPACE | EFFECT_WRITE_EXTERNAL |
					 EFFECT_IRREVERSIBLE);
	p->mode = (enum mode)get_enum(r, MODE__COUNT);
	get_raw(r, p->success, sizeof(p->success));
	p->read = get_paths(r, a, true, &p->read_count);
	p->toolchains = get_mask(r, TOOLCHAINS_ALL);
	p->write.items = get_paths(r, a, true, &p->write.count);
	get_caches(r, a, p);
	p->hide.items = get_paths(r, a, false, &p->hide.count);
	get_strings(r, a, &p->protect);
	get_bound(r, a, &p->hold_files);
	get_bound(r, a, &p->hold_bytes);
	p->observe_writes = (enum observe_writes)get_enum(r, OBSERVE__COUNT);
	p->workspace = (enum workspace_kind)get_enum(r, WORKSPACE__COUNT);
	p->loopback = get_bool(r);
	p->git_identity = get_bool(r);
	p->git_worktree = get_bool(r);
	p->git_name = get_text(r, a);
	p->git_email = get_text(r, a);
	get_strings(r, a, &p->credentials);
	p->on_leak = (enum on_leak)get_enum(r, ON_LEAK__COUNT);
	get_strings(r, a, &p->env_pass);
	get_strings(r, a, &p->env_accept);
	get_env_set(r, a, p);
	get_strings(r, a, &p->syscalls);
	get_limits(r, &p->limits);
	p->allow_degraded = get_mask(r, DEGRADE_CGROUP | DEGRADE_LANDLOCK | DEGRADE_NOTIFY);
	p->retry = (enum retry)get_enum(r, RETRY__COUNT);
	p->on_failure = (enum on_failure)get_enum(r, ON_FAILURE__COUNT);
	p->retries = rd_u8(r);
	p->backoff_ms = rd_u32(r);
	get_checks(r, a, p);
	p->capture_inputs = (enum capture_inputs)get_enum(r, CAPTURE__COUNT);
	p->capture_file_size = rd_u64(r);
	for (size_t i = 0; i < ARRAY_LEN(p->capture_stream); i++) {
		p->capture_stream[i] = rd_u64(r);
	}
	get_strings(r, a, &p->capture_env);
	p->filter = get_filter(r, a, &p->filter_len);
	get_raw(r, p->filter_digest, sizeof(p->filter_digest));
	p->init_filter = get_filter(r, a, &p->init_filter_len);
	r->bad |= r->left != 0;
}

static bool
dep_is_current(const struct profile_dep *d)
{
	struct stat st;

	/* Whatever the caller cannot stat is absent for the search as well (profile_search.c). */
	if (stat(d->path, &st) < 0) {
		return !d->present;
	}
	return d->present && (uint64_t)st.st_dev == d->dev && (uint64_t)st.st_ino == d->ino &&
	       (uint64_t)st.st_size == d->size &&
	       (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec == d->mtime_ns &&
	       (int64_t)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec == d->ctime_ns;
}

/* 0; -ESTALE with the reason in err. A bad reader is for the caller to notice. */
static int
check_deps(struct rd *r, const char *kernel_release, struct err *err)
{
	struct profile_dep d;
	size_t count;

	if (rd_u16(r) != CODEC_VERSION || strcmp(rd_str(r), AIRLOCK_VERSION) != 0) {
		return r->bad ? 0 : err_set(err, -ESTALE, "compiled by another version of airlock");
	}
	if (strcmp(rd_str(r), kernel_release) != 0) {
		return r->bad ? 0 : err_set(err, -ESTALE, "compiled under another kernel");
	}
	count = get_count(r, 46, PROFILE_DEPS_MAX);
	for (size_t i = 0; i < count; i++) {
		d.path = rd_str(r);
		d.present = get_bool(r);
		d.dev = rd_u64(r);
		d.ino = rd_u64(r);
		d.size = rd_u64(r);
		d.mtime_ns = (int64_t)rd_u64(r);
		d.ctime_ns = (int64_t)rd_u64(r);
		if (r->bad) {
			return 0;
		}
		if (!dep_is_current(&d)) {
			return err_set(err, -ESTALE, "%s changed", d.path);
		}
	}
	return 0;
}

int
profile_decode(const void *bytes, size_t len, const char *kernel_release,
	       struct profile **ret_profile, struct err *err)
{
	struct rd r = { .p = bytes, .left = len, .bad = false };
	auto_arena a = { .chunks = NULL, .failed = false };
	const uint8_t *magic = rd_bytes(&r, 4);
	uint32_t crc = rd_u32(&r);
	struct profile *p;
	int rc;

	if (r.bad || memcmp(magic, CODEC_MAGIC, 4) != 0) {
		return err_set(err, -EBADMSG, "not a compiled profile");
	}
	if (crc32_update(0, r.p, r.left) != crc) {
		return err_set(err, -EBADMSG, "the compiled profile is damaged");
	}
	rc = check_deps(&r, kernel_release, err);
	if (rc < 0) {
		return rc;
	}
	p = profile_arena_get(&a, 1, sizeof(*p));
	if (p != NULL) {
		get_profile(&r, &a, p);
	}
	if (r.bad) {
		return err_set(err, -EBADMSG, "the compiled profile is damaged");
	}
	if (p == NULL || a.failed) {
		return err_set(err, -ENOMEM, "no memory for the compiled profile");
	}
	p->arena = take_ptr(a.chunks);
	*ret_profile = p;
	return 0;
}
