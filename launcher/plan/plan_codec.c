/* SPDX-License-Identifier: Apache-2.0 */
/* Plan bytes. Encoded by the front, decoded by the jail (as PID 1 of the sandbox) and by tests. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/limits.h"
#include "plan.h"

/*
 * Far above what a plan needs, low enough that a damaged count cannot make us allocate gigabytes.
 */
#define COUNT_MAX 1000000u

static const struct {
	const char *name, *fs;
} kinds[] = {
#define X(id, text, type) [MOUNT_##id] = { .name = (text), .fs = (type) },
#include "mount_kinds.def"
#undef X
};

_Static_assert(ARRAY_LEN(kinds) == MOUNT__COUNT, "every mount kind has a row");

const char *
plan_mount_kind_name(enum mount_kind kind)
{
	return kinds[kind].name;
}

const char *
plan_mount_fs(enum mount_kind kind)
{
	return kinds[kind].fs;
}

static void
put_strings(struct buf *out, const char *const *items, size_t count)
{
	buf_u32(out, (uint32_t)count);
	for (size_t i = 0; i < count; i++) {
		buf_str(out, items[i]);
	}
}

static void
put_filter(struct buf *out, const struct sock_filter *filter, uint16_t len)
{
	buf_u16(out, len);
	for (uint16_t i = 0; i < len; i++) {
		buf_u16(out, filter[i].code);
		buf_u8(out, filter[i].jt);
		buf_u8(out, filter[i].jf);
		buf_u32(out, filter[i].k);
	}
}

void
plan_encode(const struct plan *p, struct buf *out)
{
	buf_u32(out, PLAN_MAGIC);
	buf_u32(out, PLAN_VERSION);
#define STR(name, doc) buf_str(out, p->name);
#define U32(name, doc) buf_u32(out, p->name);
#define U64(name, doc) buf_u64(out, p->name);
#include "plan_fields.def"
#undef STR
#undef U32
#undef U64
	put_strings(out, p->argv, p->argc);
	put_strings(out, p->envp, p->envc);
	buf_u32(out, (uint32_t)p->group_count);
	for (size_t i = 0; i < p->group_count; i++) {
		buf_u32(out, p->groups[i]);
	}
	buf_u32(out, (uint32_t)p->layer_count);
	for (size_t i = 0; i < p->layer_count; i++) {
		buf_str(out, p->layers[i].name);
		buf_u64(out, p->layers[i].dev);
		buf_u64(out, p->layers[i].ino);
	}
	buf_u32(out, (uint32_t)p->mount_count);
	for (size_t i = 0; i < p->mount_count; i++) {
		const struct plan_mount *m = &p->mounts[i];

		buf_u32(out, m->kind);
		buf_u32(out, m->flags);
		buf_u32(out, m->mode);
		buf_u64(out, m->device);
		buf_u64(out, m->inode);
		buf_str(out, m->target);
		buf_str(out, m->source);
		buf_blob(out, m->data, m->data_len);
	}
	buf_u32(out, (uint32_t)p->rule_count);
	for (size_t i = 0; i < p->rule_count; i++) {
		buf_str(out, p->rules[i].path);
		buf_u64(out, p->rules[i].access);
	}
	buf_u32(out, (uint32_t)p->rlimit_count);
	for (size_t i = 0; i < p->rlimit_count; i++) {
		buf_u32(out, p->rlimits[i].resource);
		buf_u64(out, p->rlimits[i].soft);
		buf_u64(out, p->rlimits[i].hard);
	}
	buf_u32(out, (uint32_t)p->credential_count);
	for (size_t i = 0; i < p->credential_count; i++) {
		buf_u32(out, p->credentials[i].delivery);
		buf_str(out, p->credentials[i].name);
	}
	put_filter(out, p->filter, p->filter_len);
	put_filter(out, p->init_filter, p->init_filter_len);
}

/*
 * An array of count elements; a count whose elements (encoded bytes each, at the least) cannot be
 * there is damage.
 */
static void *
array(struct rd *r, size_t *ret_count, size_t element, size_t encoded)
{
	size_t count = rd_u32(r);
	void *items;

	if (r->bad || count > COUNT_MAX || count > r->left / encoded) {
		r->bad = true;
		return NULL;
	}
	items = calloc(count + 1, element);
	if (items == NULL) {
		r->bad = true;
		return NULL;
	}
	*ret_count = count;
	return items;
}

static const char **
get_strings(struct rd *r, size_t *ret_count)
{
	const char **items = array(r, ret_count, sizeof(*items), 5);

	for (size_t i = 0; items != NULL && i < *ret_count; i++) {
		items[i] = rd_str(r);
	}
	return items;
}

static const struct sock_filter *
get_filter(struct rd *r, uint16_t *ret_len)
{
	uint16_t len = rd_u16(r);
	struct sock_filter *filter = calloc((size_t)len + 1, sizeof(*filter));

	if (filter == NULL) {
		r->bad = true;
		return NULL;
	}
	for (uint16_t i = 0; i < len; i++) {
		filter[i].code = rd_u16(r);
		filter[i].jt = rd_u8(r);
		filter[i].jf = rd_u8(r);
		filter[i].k = rd_u32(r);
	}
	*ret_len = len;
	return filter;
}

static void
get_mounts(struct rd *r, struct plan *p)
{
	p->mounts = array(r, &p->mount_count, sizeof(*p->mounts), 43);
	for (size_t i = 0; p->mounts != NULL && i < p->mount_count; i++) {
		struct plan_mount *m = &p->mounts[i];

		m->kind = rd_u32(r);
		m->flags = rd_u32(r);
		m->mode = rd_u32(r);
		m->device = rd_u64(r);
		m->inode = rd_u64(r);
		m->target = rd_str(r);
		m->source = rd_str(r);
		m->data = rd_blob(r, &m->data_len);
		if (m->kind >= MOUNT__COUNT) {
			r->bad = true;
		}
	}
}

static void
get_credentials(struct rd *r, struct plan *p)
{
	p->credentials = array(r, &p->credential_count, sizeof(*p->credentials), 9);
	for (size_t i = 0; p->credentials != NULL && i < p->credential_count; i++) {
		p->credentials[i].delivery = rd_u32(r);
		p->credentials[i].name = rd_str(r);
		if (p->credentials[i].delivery >= DELIVERY__COUNT) {
			r->bad = true;
		}
	}
	if (p->credential_count > PLAN_CREDENTIALS_MAX) {
		r->bad = true;
	}
}

static void
get_lists(struct rd *r, struct plan *p)
{
	p->argv = get_strings(r, &p->argc);
	p->envp = get_strings(r, &p->envc);
	p->groups = array(r, &p->group_count, sizeof(*p->groups), 4);
	for (size_t i = 0; p->groups != NULL && i < p->group_count; i++) {
		p->groups[i] = rd_u32(r);
	}
	p->layers = array(r, &p->layer_count, sizeof(*p->layers), 21);
	for (size_t i = 0; p->layers != NULL && i < p->layer_count; i++) {
		p->layers[i].name = rd_str(r);
		p->layers[i].dev = rd_u64(r);
		p->layers[i].ino = rd_u64(r);
	}
	get_mounts(r, p);
	p->rules = array(r, &p->rule_count, sizeof(*p->rules), 13);
	for (size_t i = 0; p->rules != NULL && i < p->rule_count; i++) {
		p->rules[i].path = rd_str(r);
		p->rules[i].access = rd_u64(r);
	}
	p->rlimits = array(r, &p->rlimit_count, sizeof(*p->rlimits), 20);
	for (size_t i = 0; p->rlimits != NULL && i < p->rlimit_count; i++) {
		p->rlimits[i].resource = rd_u32(r);
		p->rlimits[i].soft = rd_u64(r);
		p->rlimits[i].hard = rd_u64(r);
	}
	get_credentials(r, p);
	p->filter = get_filter(r, &p->filter_len);
	p->init_filter = get_filter(r, &p->init_filter_len);
}

int
plan_decode(const void *bytes, size_t len, struct plan *ret)
{
	struct rd r = { .p = bytes, .left = len, .bad = len > CAP_PLAN };
	struct plan p = { 0 };

	if (rd_u32(&r) != PLAN_MAGIC || rd_u32(&r) != PLAN_VERSION) {
		return -EBADMSG;
	}
#define STR(name, doc) p.name = rd_str(&r);
#define U32(name, doc) p.name = rd_u32(&r);
#define U64(name, doc) p.name = rd_u64(&r);
#include "plan_fields.def"
#undef STR
#undef U32
#undef U64
	get_lists(&r, &p);
	if (r.bad || r.left != 0 || p.argc == 0) {
		plan_release(&p);
		return -EBADMSG;
	}
	*ret = p;
	return 0;
}

void
plan_release(struct plan *p)
{
	free(p->argv);
	free(p->envp);
	free(p->groups);
	free(p->layers);
	free(p->mounts);
	free(p->rules);
	free(p->rlimits);
	free(p->credentials);
	free((void *)(uintptr_t)p->filter);
	free((void *)(uintptr_t)p->init_filter);
	*p = (struct plan){ 0 };
}
