/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of profile/ share. Runs as the developer or CI, on text of the tests' own. */
#ifndef AIRLOCK_TESTS_UNIT_PROFILE_TEST_H
#define AIRLOCK_TESTS_UNIT_PROFILE_TEST_H

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../../launcher/base/fdio.h"
#include "../../../launcher/profile/profile_internal.h"

/* One text that was read; finish with parsed_finish. */
struct parsed {
	struct profile_arena arena;
	struct profile_source source;
	struct profile_report report;
	struct buf text;
	struct profile_node *root;
	struct profile_doc doc;
};

#define auto_parsed __attribute__((cleanup(parsed_finish))) struct parsed

static inline void
parsed_finish(struct parsed *p)
{
	profile_arena_finish(&p->arena);
	buf_finish(&p->text);
}

/* In place: the report points into *p. */
static inline void
parsed_init(struct parsed *p, const char *path, const char *yaml, size_t len)
{
	memset(p, 0, sizeof(*p));
	p->source =
		(struct profile_source){ .path = path, .data = (const uint8_t *)yaml, .len = len };
	p->report.out = &p->text;
	p->doc.source = &p->source;
	p->root = profile_yaml_parse(&p->arena, &p->source, &p->report);
	if (p->root != NULL) {
		profile_read(&p->arena, p->root, false, &p->report, &p->doc);
	}
}

/* The whole report for one text; the caller frees it. */
static inline char *
report_of(const char *yaml)
{
	auto_parsed p;

	parsed_init(&p, "t.yaml", yaml, strlen(yaml));
	return strdup(buf_text(&p.text));
}

#define expect_report(yaml, expected)                                                         \
	do {                                                                                  \
		auto_free char *got_ = report_of(yaml);                                       \
		cr_expect_str_eq(got_, (expected), "for:\n%s\ngot:\n%s\nwanted:\n%s", (yaml), \
				 got_, (expected));                                           \
	} while (0)

/* ---- a directory of the test's own ----------------------------------------------------------- */

static inline void
remove_tree(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *e;

	while (dir != NULL && (e = readdir(dir)) != NULL) {
		char child[4096];

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) {
			continue;
		}
		snprintf(child, sizeof(child), "%s/%s", path, e->d_name);
		if (e->d_type == DT_DIR) {
			remove_tree(child);
		} else {
			cr_assert_eq(unlink(child), 0, "%s", child);
		}
	}
	if (dir != NULL) {
		closedir(dir);
	}
	cr_assert_eq(rmdir(path), 0, "%s", path);
}

static inline void
write_text(const char *path, const char *text)
{
	auto_fd fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	cr_assert_geq(fd, 0, "%s", path);
	cr_assert_eq(fdio_write(fd, text, strlen(text)), 0);
}

#endif
