/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All directories of a search, below one of the test's own in /tmp, and a request for them. Runs as
 * the developer or CI.
 */
#ifndef AIRLOCK_TESTS_UNIT_PROFILE_PLACE_H
#define AIRLOCK_TESTS_UNIT_PROFILE_PLACE_H

#include "profile_test.h"

#include "../../../launcher/profile/profile_load.h"

#define LIMITS                                                                                \
	"limits: { memory: 2GiB, pids: 512, cpu: 400%, cpu_time: 1h, wall: 10m, disk: 1GiB, " \
	"files: 1000, "                                                                       \
	"output: 1MiB, open_files: 64 }\n"

struct place {
	char dir[64], own[96], first[96], second[96], system[96], shipped[96], search[256];
	struct profile_request request;
	struct profile_loaded loaded;
	struct buf report;
	struct err err;
};

#define auto_place __attribute__((cleanup(place_finish))) struct place

static inline void
make_dir(char *ret, size_t size, const char *below, const char *name)
{
	snprintf(ret, size, "%s/%s", below, name);
	cr_assert_eq(fdio_mkdirs(ret, 0755), 0);
}

static inline void
place_init(struct place *p)
{
	memset(p, 0, sizeof(*p));
	snprintf(p->dir, sizeof(p->dir), "/tmp/airlock-test-XXXXXX");
	cr_assert_not_null(mkdtemp(p->dir));
	make_dir(p->first, sizeof(p->first), p->dir, "first");
	make_dir(p->second, sizeof(p->second), p->dir, "second");
	make_dir(p->own, sizeof(p->own), p->dir, "home/.config/airlock/profiles");
	make_dir(p->system, sizeof(p->system), p->dir, "system");
	make_dir(p->shipped, sizeof(p->shipped), p->dir, "shipped");
	snprintf(p->search, sizeof(p->search), "%s::%s/", p->first, p->second);
	p->request = (struct profile_request){
		.name = "a",
		.search = p->search,
		.config_home = NULL,
		.system_dir = p->system,
		.shipped_dir = p->shipped,
		.caller = geteuid(),
		.unmapped = (uid_t)-1,
	};
}

static inline void
place_finish(struct place *p)
{
	profile_loaded_finish(&p->loaded);
	buf_finish(&p->report);
	remove_tree(p->dir);
}

static inline void
put(const char *dir, const char *name, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	write_text(path, text);
}

static inline int
load(struct place *p, const char *name)
{
	char home[128];

	profile_loaded_finish(&p->loaded);
	buf_reset(&p->report);
	p->err = (struct err)ERR_INIT;
	snprintf(home, sizeof(home), "%s/home", p->dir);
	p->request.home = home;
	p->request.name = name;
	return profile_load(&p->request, &p->loaded, &p->report, &p->err);
}

/* "$D" in the expected text is the test's directory. */
static inline void
expect_text(const struct place *p, const char *got, const char *expected)
{
	auto_buf text = BUF_INIT;

	for (const char *s = expected; *s != '\0'; s++) {
		if (s[0] == '$' && s[1] == 'D') {
			buf_puts(&text, p->dir);
			s++;
		} else {
			buf_putc(&text, *s);
		}
	}
	cr_expect_str_eq(got, buf_text(&text), "\ngot    %s\nwanted %s", got, buf_text(&text));
}

#endif
