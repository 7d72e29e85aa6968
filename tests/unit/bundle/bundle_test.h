/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of bundle/ share: manifests of the tests' own, and a place to keep them, removed
 * at the end. Runs as the developer or CI.
 */
#ifndef AIRLOCK_TESTS_UNIT_BUNDLE_TEST_H
#define AIRLOCK_TESTS_UNIT_BUNDLE_TEST_H

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../../launcher/base/fdio.h"
#include "../../../launcher/base/trusted.h"
#include "../../../launcher/bundle/bundle.h"
#include "../scratch.h"

#define RECIPIENT "age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq"
#define HEAD "bundle: acme\nrecipients: [" RECIPIENT "]\n"

/* One manifest that was read; finish with parsed_finish. */
struct parsed {
	struct bundle bundle;
	struct buf bytes, report;
	struct err err;
	int rc;
};

#define auto_parsed __attribute__((cleanup(parsed_finish))) struct parsed

static inline void
parsed_finish(struct parsed *p)
{
	bundle_finish(&p->bundle);
	buf_finish(&p->bytes);
	buf_finish(&p->report);
}

static inline void
parsed_init(struct parsed *p, const char *yaml)
{
	memset(p, 0, sizeof(*p));
	buf_puts(&p->bytes, yaml);
	p->rc = bundle_parse("m.yaml", "acme", &p->bytes, &p->bundle, &p->report, &p->err);
}

#define expect_report(yaml, expected)                                       \
	do {                                                                \
		auto_parsed got_;                                           \
		parsed_init(&got_, (yaml));                                 \
		cr_expect_str_eq(buf_text(&got_.report), (expected),        \
				 "for:\n%s\ngot:\n%s\nwanted:\n%s", (yaml), \
				 buf_text(&got_.report), (expected));       \
		cr_expect_eq(got_.rc, (expected)[0] == '\0' ? 0 : -EINVAL); \
	} while (0)

/* ---- a place with bundles -------------------------------------------------------------------- */

struct place {
	char dir[64], own[128], system[128]; /* the directories of the search */
	struct bundle_request request;
	struct buf report;
	struct err err;
	struct bundle_at at;
};

#define auto_place __attribute__((cleanup(place_finish))) struct place

static inline void
place_finish(struct place *p)
{
	bundle_at_finish(&p->at);
	buf_finish(&p->report);
	scratch_remove(p->dir);
}

/* In place: the request points into *p. */
static inline void
place_init(struct place *p)
{
	memset(p, 0, sizeof(*p));
	p->at = (struct bundle_at)BUNDLE_AT_INIT;
	snprintf(p->dir, sizeof(p->dir), "/tmp/airlock-bundle-XXXXXX");
	cr_assert_not_null(mkdtemp(p->dir));
	snprintf(p->own, sizeof(p->own), "%s/.config/airlock/bundles", p->dir);
	snprintf(p->system, sizeof(p->system), "%s/etc", p->dir);
	cr_assert_eq(fdio_mkdirs(p->own, 0755), 0);
	cr_assert_eq(fdio_mkdirs(p->system, 0755), 0);
	p->request = (struct bundle_request){ .home = p->dir,
					      .system_dir = p->system,
					      .caller = geteuid(),
					      .unmapped = trusted_unmapped_uid() };
}

/* A file of a bundle, with its directory. */
static inline void
put(const char *dir, const char *bundle, const char *name, const char *text)
{
	char path[512];
	auto_fd fd = -1;

	snprintf(path, sizeof(path), "%s/%s", dir, bundle);
	cr_assert_eq(fdio_mkdirs(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/%s/%s", dir, bundle, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	cr_assert_geq(fd, 0, "%s", path);
	cr_assert_eq(fdio_write(fd, text, strlen(text)), 0);
}

/* Opens it anew; report and err are those of this time. */
static inline int
open_read(struct place *p, const char *name)
{
	bundle_at_finish(&p->at);
	buf_reset(&p->report);
	p->err = (struct err)ERR_INIT;
	return bundle_open_read(&p->request, name, &p->at, &p->report, &p->err);
}

/* $D stands for the directory of the place. */
static inline void
expect_text(const struct place *p, const char *expected)
{
	auto_buf want = BUF_INIT;

	for (const char *s = expected; *s != '\0'; s++) {
		if (s[0] == '$' && s[1] == 'D') {
			buf_puts(&want, p->dir);
			s++;
		} else {
			buf_putc(&want, *s);
		}
	}
	cr_expect_str_eq(p->err.text, buf_text(&want));
}

#endif
