/* SPDX-License-Identifier: Apache-2.0 */
/* A call's two records from JSON, and pages as text, for the tests of view_*.c. */
#ifndef AIRLOCK_TEST_VIEW_FIXTURE_H
#define AIRLOCK_TEST_VIEW_FIXTURE_H

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "../../../launcher/cli/view_show.h"

#define VIEW_CALL "0198c2a4-7f3e-7abc-8def-0123456789ab"

__attribute__((unused)) static json_t *
parse_json(const char *text)
{
	json_error_t error;
	json_t *value = json_loads(text, 0, &error);

	cr_assert_not_null(value, "%s: %s", error.text, text);
	return value;
}

/* outcome NULL: the call has none. */
__attribute__((unused)) static struct record
make_record(const char *planned, const char *outcome)
{
	struct record rec = RECORD_INIT;

	snprintf(rec.id, sizeof(rec.id), "%s", VIEW_CALL);
	rec.planned = parse_json(planned);
	rec.outcome = outcome != NULL ? parse_json(outcome) : NULL;
	return rec;
}

/* A page of 80 columns without colour, as a pipe gets it. */
__attribute__((unused)) static struct page
make_page(void)
{
	struct page p = PAGE_INIT;
	auto_fd fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	cr_assert_geq(fd, 0);
	page_init(&p, fd);
	cr_assert_eq(p.view.terminal, false);
	cr_assert_eq(p.view.columns, 80u);
	return p;
}

__attribute__((unused)) static void
expect_page(const struct page *p, const char *expected)
{
	cr_expect_eq(buf_error(&p->out), 0);
	cr_expect_str_eq(buf_text(&p->out), expected);
}

#endif
