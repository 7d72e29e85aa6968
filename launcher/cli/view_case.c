/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs in airlock-cli as the caller. Everything in the folder is made by descriptor under names of
 * our own: digests, numbers, words of a table. What a tool chose stands in files, escaped where a
 * page or a table shows it.
 */
#include "view_case.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../store/digest_set.h"

#define OBJECTS_EXPECTED 1024u

/* ---- entries ------------------------------------------------------------------------------ */

struct entry_of {
	struct case_folder *c;
	const char *call;
	bool (*wanted)(const struct case_folder *c, const struct index_entry *e); /* NULL: all */
	struct err *err;
};

/* One line of entries.tsv: n, type, call, salt, digest, file; "-" for what was forgotten. */
static void
put_entry(struct case_folder *c, const char *call, const struct index_entry *e, const char *file)
{
	char salt[2 * ENTRY_SALT_SIZE + 1] = "-", digest[HEX_DIGEST_SIZE];

	if (e->salt != NULL) {
		text_hex(e->salt, ENTRY_SALT_SIZE, salt);
	}
	text_hex(e->digest, SHA256_SIZE, digest);
	buf_printf(&c->entries, "%llu\t%s\t%s\t%s\t%s\t%s\n", (unsigned long long)e->n,
		   entry_type_word(e->type), call, salt, digest, file);
	buf_u64(&c->numbers, e->n);
	c->leaves++;
}

static int
export_entry(void *arg, const struct index_entry *e)
{
	struct entry_of *of = arg;
	auto_buf name = BUF_INIT, shown = BUF_INIT;
	struct buf record = { .data = (uint8_t *)(uintptr_t)e->record, .len = e->record_len };

	if (of->wanted != NULL && !of->wanted(of->c, e)) {
		return 0;
	}
	if (e->record == NULL) {
		put_entry(of->c, of->call, e, "-");
		of->c->forgotten++;
		return 0;
	}
	buf_printf(&name, "%llu-%s.json", (unsigned long long)e->n, entry_type_word(e->type));
	buf_printf(&shown, "records/%s", buf_text(&name));
	put_entry(of->c, of->call, e, buf_text(&shown));
	return export_bytes(&of->c->x, of->c->records_fd, buf_text(&name), buf_text(&shown), 0600,
			    &record, of->err);
}

static int
export_entries(struct case_folder *c, const char *call,
	       bool (*wanted)(const struct case_folder *c, const struct index_entry *e),
	       struct err *err)
{
	struct entry_of of = { .c = c, .call = call, .wanted = wanted, .err = err };

	return index_entries(c->r->ix, call, export_entry, &of, err);
}

/*
 * Of no call: what says whose log it is, the profiles that these calls ran under, what happened to
 * these workflows and was removed of them, and what was stopped between their first call and their
 * last.
 */
static bool
is_of_case(const struct case_folder *c, const struct index_entry *e)
{
	json_t *record = e->record != NULL
			       ? json_loadb((const char *)e->record, e->record_len, 0, NULL)
			       : NULL;
	bool is_wanted = e->type == ENTRY_LOG_OPEN || e->type == ENTRY_LOG_CLOSE ||
			 e->type == ENTRY_KEY_ROTATE;

	if (e->type == ENTRY_PROFILE_LOAD) {
		is_wanted = json_object_get(c->profiles, record_text(record, "digest")) != NULL;
	} else if (e->type == ENTRY_GC || e->type == ENTRY_WORKFLOW) {
		is_wanted = json_object_get(c->workflows, record_text(record, "workflow")) != NULL;
	} else if (e->type == ENTRY_STOP) {
		is_wanted = record_number(record, "t") >= c->t0_ms &&
			    record_number(record, "t") <= c->t1_ms;
	}
	json_decref(record);
	return is_wanted;
}

/* ---- calls -------------------------------------------------------------------------------- */

static int
note_names(struct case_folder *c, const struct record *rec)
{
	uint64_t t0 = record_number(rec->planned, "t0"), t1 = record_number(rec->outcome, "t1");

	c->t0_ms = c->t0_ms == 0 || t0 < c->t0_ms ? t0 : c->t0_ms;
	c->t1_ms = t1 > c->t1_ms ? t1 : c->t1_ms;
	c->calls++;
	return json_object_set_new(c->profiles, record_text(rec->planned, "profile.digest"),
				   json_true()) == 0 &&
			       json_object_set_new(
				       c->workflows, record_text(rec->planned, "workflow"),
				       json_string(record_text(rec->planned, "workflow_name"))) == 0
		     ? 0
		     : -ENOMEM;
}

struct call_of {
	struct case_folder *c;
	struct err *err;
};

static int
export_call(void *arg, const struct index_call *call)
{
	struct call_of *of = arg;
	auto_record rec = RECORD_INIT;
	int rc = record_load(of->c->r, call->id, &rec, of->err);

	rc = rc == 0 ? record_leaves(of->c->r, &rec, of->err) : rc;
	rc = rc == 0 ? note_names(of->c, &rec) : rc;
	rc = rc == 0 ? export_entries(of->c, rec.id, NULL, of->err) : rc;
	rc = rc == 0 ? case_objects(of->c, &rec, of->err) : rc;
	if (rc == 0) {
		case_page_call(of->c, &rec);
	}
	return rc == 0 || of->err->code != 0 ? rc : err_sys(of->err, rc, "export %s", call->id);
}

/* Nothing is left of it but its entries, and the one that says who had it forgotten. */
static int
export_forgotten(void *arg, const char *call, const char *workflow)
{
	struct call_of *of = arg;
	struct index_forgotten f;
	int rc = json_object_set_new(of->c->workflows, workflow, json_string("forgotten")) == 0
		       ? index_forgotten(of->c->r->ix, call, &f, of->err)
		       : -ENOMEM;

	rc = rc == 0 ? export_entries(of->c, call, NULL, of->err) : rc;
	if (rc == 0) {
		case_page_forgotten(of->c, call, &f);
		of->c->calls++;
	}
	return rc == 0 || of->err->code != 0 ? rc : err_sys(of->err, rc, "export %s", call);
}

static int
export_calls(struct case_folder *c, const char *workflow, struct err *err)
{
	char id[UUID_TEXT_SIZE];
	const char *meant = reading_workflow(c->r, workflow, id);
	const struct index_query query = { .workflow = meant };
	struct call_of of = { .c = c, .err = err };
	auto_buf shown = BUF_INIT;
	int rc = index_list(c->r->ix, &query, export_call, &of, err);

	rc = rc == 0 ? index_forgotten_calls(c->r->ix, meant, export_forgotten, &of, err) : rc;
	if (rc == 0 && c->calls == 0) {
		text_safe(&shown, workflow, strlen(workflow), false);
		return err_set(err, -ENOENT, "no call of a workflow %s is recorded",
			       buf_text(&shown));
	}
	return rc;
}

/* ---- the folder --------------------------------------------------------------------------- */

static int
put_file(struct case_folder *c, const char *name, mode_t mode, const struct buf *content,
	 struct err *err)
{
	return buf_error(content) != 0
		     ? err_sys(err, -ENOMEM, "export %s", name)
		     : export_bytes(&c->x, c->x.root_fd, name, name, mode, content, err);
}

static int
put_tables(struct case_folder *c, struct err *err)
{
	auto_buf page = BUF_INIT, script = BUF_INIT;
	int rc = case_page(c, &page);

	case_script(&script);
	rc = rc == 0 ? put_file(c, "entries.tsv", 0600, &c->entries, err) : rc;
	rc = rc == 0 ? put_file(c, "objects.tsv", 0600, &c->index, err) : rc;
	rc = rc == 0 ? put_file(c, "verify.sh", 0700, &script, err) : rc;
	rc = rc == 0 ? put_file(c, "index.html", 0600, &page, err) : rc;
	return rc == 0 || err->code != 0 ? rc : err_sys(err, rc, "export the page");
}

static int
case_open(struct case_folder *c, const char *to, struct err *err)
{
	int rc = export_open(&c->x, to, err);

	if (rc != 0) {
		return rc;
	}
	c->records_fd = export_directory(&c->x, "records", err);
	c->objects_fd = c->records_fd < 0 ? -1 : export_directory(&c->x, "objects", err);
	if (c->objects_fd < 0) {
		return c->records_fd < 0 ? c->records_fd : c->objects_fd;
	}
	c->objects = digest_set_create(OBJECTS_EXPECTED);
	c->seen = digest_set_create(OBJECTS_EXPECTED);
	c->profiles = json_object();
	c->workflows = json_object();
	page_init_html(&c->timeline, c->objects);
	page_init_html(&c->notable, c->objects);
	page_init_html(&c->sections, c->objects);
	return c->objects != NULL && c->seen != NULL && c->profiles != NULL && c->workflows != NULL
		     ? 0
		     : err_sys(err, -ENOMEM, "export");
}

static void
case_close(struct case_folder *c)
{
	export_finish(&c->x);
	cleanup_fd(&c->records_fd);
	cleanup_fd(&c->objects_fd);
	buf_finish(&c->entries);
	buf_finish(&c->index);
	buf_finish(&c->numbers);
	buf_finish(&c->checkpoint);
	digest_set_destroy(c->objects);
	digest_set_destroy(c->seen);
	json_decref(c->profiles);
	json_decref(c->workflows);
	page_finish(&c->timeline);
	page_finish(&c->notable);
	page_finish(&c->sections);
}

int
case_export(struct reading *r, const char *workflow, const char *to, struct err *err)
{
	__attribute__((cleanup(case_close))) struct case_folder c = {
		.x = EXPORT_INIT, .r = r, .records_fd = -1, .objects_fd = -1
	};
	int rc = case_open(&c, to, err);

	rc = rc == 0 ? export_calls(&c, workflow, err) : rc;
	rc = rc == 0 ? export_entries(&c, ENTRY_NO_CALL, is_of_case, err) : rc;
	rc = rc == 0 ? case_proofs(&c, err) : rc;
	rc = rc == 0 ? put_tables(&c, err) : rc;
	rc = rc == 0 ? export_close(&c.x, err) : rc;
	if (rc == 0) {
		fprintf(stderr,
			"airlock: %llu calls with %zu objects are in %s: open index.html, and run "
			"sh verify.sh\n",
			(unsigned long long)c.calls, digest_set_count(c.objects), to);
	}
	return rc;
}
