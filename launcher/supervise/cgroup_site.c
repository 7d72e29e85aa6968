/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The site of calls' groups as bytes. Written by airlock-cli, read by the front, as the caller; the
 * file is the caller's own cache, so decode checks shape, not truth: a wrong path fails at the
 * first mkdir.
 */
#include "cgroup.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cgroup_internal.h"

#define SITE_MAGIC "ALCS"
#define SITE_VERSION 1

int
cgroup_site_init(struct cgroup_site *site)
{
	bool whole = true;

	*site = (struct cgroup_site){ .version = CGROUP_NONE, .missing = DEGRADE_CGROUP };
	for (unsigned int c = 0; c < CTL__COUNT; c++) {
		site->parent[c] = strdup("");
		whole = whole && site->parent[c] != NULL;
	}
	site->why = strdup("");
	if (!whole || site->why == NULL) {
		cgroup_site_finish(site);
		return -ENOMEM;
	}
	return 0;
}

void
cgroup_site_finish(struct cgroup_site *site)
{
	for (unsigned int c = 0; c < CTL__COUNT; c++) {
		free(site->parent[c]);
	}
	free(site->why);
	*site = (struct cgroup_site){ .version = CGROUP_NONE, .missing = DEGRADE_CGROUP };
}

int
cgroup_site_because(struct cgroup_site *site, const char *fmt, ...)
{
	char text[ERR_TEXT_MAX];
	va_list ap;
	char *copy;

	if (site->why[0] != '\0') {
		return 0;
	}
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	copy = strdup(text);
	if (copy == NULL) {
		return -ENOMEM;
	}
	free(site->why);
	site->why = copy;
	return 0;
}

void
cgroup_site_encode(const struct cgroup_site *site, struct buf *out)
{
	buf_put(out, SITE_MAGIC, strlen(SITE_MAGIC));
	buf_u8(out, SITE_VERSION);
	buf_u8(out, (uint8_t)site->version);
	buf_u32(out, site->missing);
	buf_u8(out, CTL__COUNT);
	for (unsigned int c = 0; c < CTL__COUNT; c++) {
		buf_str(out, site->parent[c]);
	}
	buf_str(out, site->why);
}

/* A path of the file: "" or absolute. */
static char *
decode_path(struct rd *r)
{
	const char *text = rd_str(r);

	if (text[0] != '\0' && text[0] != '/') {
		r->bad = true;
		text = "";
	}
	return strdup(text);
}

static bool
is_whole(const struct cgroup_site *site)
{
	for (unsigned int c = 0; c < CTL__COUNT; c++) {
		if (site->parent[c] == NULL) {
			return false;
		}
	}
	return site->why != NULL;
}

int
cgroup_site_decode(const void *bytes, size_t len, struct cgroup_site *ret)
{
	struct rd r = { .p = bytes, .left = len, .bad = false };
	struct cgroup_site site = { .version = CGROUP_NONE };
	const uint8_t *magic = rd_bytes(&r, strlen(SITE_MAGIC));
	unsigned int version;

	if (magic == NULL || memcmp(magic, SITE_MAGIC, strlen(SITE_MAGIC)) != 0 ||
	    rd_u8(&r) != SITE_VERSION) {
		return -EBADMSG;
	}
	version = rd_u8(&r);
	site.missing = rd_u32(&r);
	if (version >= CGROUP_VERSION__COUNT || (site.missing & ~DEGRADE_CGROUP) != 0 ||
	    rd_u8(&r) != CTL__COUNT) {
		return -EBADMSG;
	}
	site.version = (enum cgroup_version)version;
	for (unsigned int c = 0; c < CTL__COUNT; c++) {
		site.parent[c] = decode_path(&r);
	}
	site.why = strdup(rd_str(&r));
	if (!is_whole(&site)) {
		cgroup_site_finish(&site);
		return -ENOMEM;
	}
	if (r.bad || r.left != 0) {
		cgroup_site_finish(&site);
		return -EBADMSG;
	}
	*ret = site;
	return 0;
}
