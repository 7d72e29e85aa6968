/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target for the reader of profiles: bytes to a tree, to typed values, to the finished
 * struct, to its cache file and back. Run by the developer or CI; the bytes are anybody's. What is
 * taken for a profile must mean the same when it is printed and read again, must be no wider than
 * itself, and must survive its cache file; what is refused must have a report that a terminal can
 * show.
 */
#include "../../launcher/base/text.h"
#include "../../launcher/profile/profile_diff.h"
#include "../../launcher/profile/profile_internal.h"
#include "fuzz.h"

struct reading {
	struct profile_arena arena;
	struct profile_source source;
	struct profile_report report;
	struct buf text;
	struct profile_doc doc;
};

/* Whether it is a whole profile. */
static bool
read_bytes(struct reading *r, const void *data, size_t size)
{
	const struct profile_node *root;

	memset(r, 0, sizeof(*r));
	r->source = (struct profile_source){ .path = "f.yaml", .data = data, .len = size };
	r->report.out = &r->text;
	r->doc.source = &r->source;
	root = profile_yaml_parse(&r->arena, &r->source, &r->report);
	if (root != NULL) {
		profile_read(&r->arena, root, false, &r->report, &r->doc);
	}
	if (r->report.count == 0) {
		profile_complete(&r->arena, &r->doc, &r->report);
	}
	require_shown((r->report.count == 0) == (r->text.len == 0), "an error without words",
		      &r->text);
	return r->report.count == 0;
}

static void
reading_finish(struct reading *r)
{
	profile_arena_finish(&r->arena);
	buf_finish(&r->text);
}

static void
check_report(const struct buf *report)
{
	auto_buf safe = BUF_INIT;

	text_safe(&safe, report->data, report->len, true);
	require_shown(safe.len == report->len && memcmp(safe.data, report->data, safe.len) == 0,
		      "the report has bytes that no terminal should get", &safe);
}

static void
check_printed(const struct reading *r, bool origins)
{
	auto_buf yaml = BUF_INIT, before = BUF_INIT, after = BUF_INIT;
	struct reading again;

	profile_print_yaml(&r->doc, origins, &yaml);
	require_shown(buf_error(&yaml) == 0 && profile_canonical(&r->doc, &before) == 0,
		      "no canonical JSON", NULL);
	require_shown(read_bytes(&again, buf_text(&yaml), yaml.len), "not readable when printed",
		      &again.text);
	require_shown(profile_canonical(&again.doc, &after) == 0, "no canonical JSON again", NULL);
	require_shown(before.len == after.len && memcmp(before.data, after.data, after.len) == 0,
		      "another profile when printed", &yaml);
	reading_finish(&again);
}

/* Its own child, and neither wider nor narrower than itself. */
static void
check_rules(struct reading *r)
{
	struct profile_changes changes;
	struct profile_doc child = r->doc, merged;

	child.values[KEY_OPEN].set = false;
	profile_merge(&r->arena, &r->doc, &child, &r->report, &merged);
	require_shown(r->report.count == 0, "wider than itself", &r->text);
	require_shown(profile_diff(&r->doc, &r->doc, &changes) == 0 && changes.count == 0,
		      "differs from itself", NULL);
	profile_changes_finish(&changes);
}

static void
check_cache(const struct reading *r)
{
	auto_buf bytes = BUF_INIT, again = BUF_INIT;
	struct profile *p = NULL, *decoded = NULL;
	struct err err = ERR_INIT;

	require_shown(profile_build(&r->doc, "/home/user", &p) == 0, "not built", NULL);
	profile_encode(p, NULL, 0, "6.1", &bytes);
	require_shown(profile_decode(bytes.data, bytes.len, "6.1", &decoded, &err) == 0, err.text,
		      NULL);
	profile_encode(decoded, NULL, 0, "6.1", &again);
	require_shown(bytes.len == again.len && memcmp(bytes.data, again.data, bytes.len) == 0,
		      "another profile when decoded", NULL);
	profile_destroy(decoded);
	profile_destroy(p);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reading r;

	if (read_bytes(&r, data, size)) {
		check_printed(&r, false);
		check_printed(&r, true);
		check_rules(&r);
		check_cache(&r);
	} else {
		check_report(&r.text);
	}
	reading_finish(&r);
	return 0;
}
