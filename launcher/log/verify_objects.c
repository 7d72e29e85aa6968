/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The packs against what the records say was stored in them. Runs in airlock-cli. A record holds
 * the number of objects that its call stored and a digest over their names in order, so that none
 * can be taken out, put in, or be put elsewhere.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/fdio.h"
#include "../base/text.h"
#include "verify_internal.h"

static int
by_id(const void *a, const void *b)
{
	return memcmp(((const struct verify_call *)a)->id, ((const struct verify_call *)b)->id, 16);
}

static const struct verify_call *
find_call(const struct verify *v, const uint8_t id[16])
{
	struct verify_call key = { .n = 0 };

	memcpy(key.id, id, 16);
	return v->calls == 0 ? NULL : bsearch(&key, v->call, v->calls, sizeof(key), by_id);
}

/*
 * The newest gc entry of a workflow behind entry n; NULL when there is none. One that is not signed
 * takes nothing away that is: whoever can write the journal could have added it.
 */
static const struct verify_gc *
removed_after(const struct verify *v, const uint8_t workflow[16], uint64_t n, bool with_records)
{
	for (size_t i = v->gcs; i-- > 0;) {
		const struct verify_gc *gc = &v->gc[i];

		if (gc->n > n && (gc->n < v->checkpoint.size || n >= v->checkpoint.size) &&
		    (gc->is_forget || !with_records) && memcmp(gc->workflow, workflow, 16) == 0) {
			return gc;
		}
	}
	return NULL;
}

static int
on_wrong(void *arg, const char *file, uint64_t offset, const char *what)
{
	char where[192];

	snprintf(where, sizeof(where), "%s at byte %llu", file, (unsigned long long)offset);
	verify_wrong(arg, where, "%s", what);
	return 0;
}

/* What a crash leaves in the packs of a call without outcome is no evidence of anything. */
static int
ignore_wrong(void *arg, const char *file, uint64_t offset, const char *what)
{
	(void)arg, (void)file, (void)offset, (void)what;
	return 0;
}

static void
compare(struct verify *v, const struct verify_call *c, const struct pack_sum *sum)
{
	char id[UUID_TEXT_SIZE], where[64];

	text_uuid_print(c->id, id);
	snprintf(where, sizeof(where), "objects of call %s", id);
	if (!c->has_objects) {
		if (sum->objects > 0) {
			verify_note(v, where, "%llu are stored; the record does not say how many",
				    (unsigned long long)sum->objects);
		}
	} else if (sum->objects != c->count) {
		verify_wrong(v, where, "%llu are stored, and the record says %llu",
			     (unsigned long long)sum->objects, (unsigned long long)c->count);
	} else if (c->count > 0 && memcmp(sum->digest, c->digest, SHA256_SIZE) != 0) {
		verify_wrong(v, where, "are not those, or not in the order, that the record says");
	}
}

static int
check_call(struct verify *v, struct verify_call *c, struct err *err)
{
	struct pack_sum sum = { .objects = 0 };
	int rc;

	if (!c->has_workflow || c->forgotten > 0 ||
	    removed_after(v, c->workflow, c->n, false) != NULL) {
		return 0; /* told by workflow */
	}
	rc = pack_check(v->store, c->workflow, c->id, c->has_outcome ? on_wrong : ignore_wrong, v,
			&sum, err);
	if (rc != 0) {
		return rc;
	}
	c->files = sum.files;
	v->result.objects += sum.objects;
	if (c->has_outcome) {
		compare(v, c, &sum);
	}
	return 0;
}

/* ---- packs of nobody ------------------------------------------------------------------------- */

static int
note_entry(void *arg, const struct index_entry *entry)
{
	(void)entry;
	*(bool *)arg = true;
	return 0;
}

/*
 * Calls begin while others verify: the journal has an entry of theirs before they store anything.
 */
static bool
began_meanwhile(struct verify *v, const uint8_t call[16])
{
	char id[UUID_TEXT_SIZE];
	uint64_t entries;
	bool found = false;

	text_uuid_print(call, id);
	return index_ingest(v->fresh, v->store, &entries, NULL) == 0 &&
	       index_entries(v->fresh, id, note_entry, &found, NULL) == 0 && found;
}

static void
check_pack_name(struct verify *v, const char *workflow, const uint8_t id[16], const char *name)
{
	const struct verify_call *c;
	unsigned int number;
	uint8_t call[16];
	char where[192];

	snprintf(where, sizeof(where), "wf/%.40s/%.80s", workflow, name);
	if (!pack_name_parse(name, call, &number)) {
		if (pack_is_name(name)) {
			verify_wrong(v, where, "has not the name of a pack");
		}
		return;
	}
	c = find_call(v, call);
	if (c == NULL) {
		if (!began_meanwhile(v, call)) {
			verify_wrong(v, where, "is of a call that no entry is of");
		}
	} else if (c->has_workflow && memcmp(c->workflow, id, 16) != 0) {
		verify_wrong(v, where, "is of a call of another workflow");
	} else if (c->forgotten > 0 || removed_after(v, id, c->n, false) != NULL) {
		verify_wrong(v, where, "is there although it was removed (gc entry)");
	} else if (c->has_outcome && number > c->files) {
		verify_wrong(v, where, "is a pack behind the last one of its call");
	}
}

static int
check_workflow(struct verify *v, int wf_fd, const char *name, struct err *err)
{
	auto_dir dir = NULL;
	struct dirent *entry;
	uint8_t id[16];
	int rc = fdio_list_dir(wf_fd, name, O_NOFOLLOW, &dir);

	if (rc != 0) {
		return rc == -ENOTDIR ? 0 : err_sys(err, rc, "wf/%s", name);
	}
	if (text_uuid_parse(name, id) == 0) {
		while ((entry = readdir(dir)) != NULL) {
			check_pack_name(v, name, id, entry->d_name);
		}
		rc = pack_check_have(v->store, id, on_wrong, v, err);
	}
	return rc;
}

static int
check_packs(struct verify *v, struct err *err)
{
	auto_dir dir = NULL;
	struct dirent *entry;
	int rc = fdio_list_dir(v->store->dir_fd, "wf", 0, &dir);

	if (rc != 0) {
		return rc == -ENOENT ? 0 : err_sys(err, rc, "%s/wf", v->store->path);
	}
	while (rc == 0 && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] != '.') {
			rc = check_workflow(v, dirfd(dir), entry->d_name, err);
		}
	}
	return rc;
}

/* ---- what was forgotten ---------------------------------------------------------------------- */

/* A leaf does not say whether the record is still there: the gc entry has to. */
static void
check_forgotten(struct verify *v, const struct verify_call *c)
{
	char id[UUID_TEXT_SIZE], where[64];

	if (c->forgotten == 0 ||
	    (c->has_workflow && removed_after(v, c->workflow, c->forgotten_n, true) != NULL)) {
		return;
	}
	text_uuid_print(c->id, id);
	snprintf(where, sizeof(where), "records of call %s", id);
	verify_wrong(v, where,
		     "%llu are gone, and no signed gc entry behind them says that the workflow was "
		     "forgotten",
		     (unsigned long long)c->forgotten);
}

/* No more entries than the gc entries say, where each counts those that still had a record. */
static void
check_forgotten_count(struct verify *v, const struct verify_gc *first)
{
	uint64_t said = 0, gone = 0;
	char id[UUID_TEXT_SIZE], where[64];

	for (const struct verify_gc *gc = first; gc < v->gc + v->gcs; gc++) {
		said += gc->is_forget && memcmp(gc->workflow, first->workflow, 16) == 0
			      ? gc->entries
			      : 0;
	}
	for (size_t i = 0; i < v->calls; i++) {
		gone += memcmp(v->call[i].workflow, first->workflow, 16) == 0 ? v->call[i].forgotten
									      : 0;
	}
	if (gone > said) {
		text_uuid_print(first->workflow, id);
		snprintf(where, sizeof(where), "workflow %s", id);
		verify_wrong(v, where, "%llu records are gone, and the gc entries say %llu",
			     (unsigned long long)gone, (unsigned long long)said);
	}
}

static bool
is_first_forget(const struct verify *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (v->gc[i].is_forget && memcmp(v->gc[i].workflow, v->gc[n].workflow, 16) == 0) {
			return false;
		}
	}
	return v->gc[n].is_forget;
}

static void
tell_removed(struct verify *v)
{
	for (size_t i = 0; i < v->gcs; i++) {
		char id[UUID_TEXT_SIZE], where[64];

		text_uuid_print(v->gc[i].workflow, id);
		snprintf(where, sizeof(where), "workflow %s", id);
		verify_note(v, where, "%s (entry %llu%s): its leaves stand in the log",
			    v->gc[i].is_forget ? "records and objects were forgotten"
					       : "objects were removed",
			    (unsigned long long)v->gc[i].n,
			    v->gc[i].n < v->checkpoint.size ? "" : ", not signed yet");
	}
}

static void
check_removed(struct verify *v)
{
	for (size_t i = 0; i < v->calls; i++) {
		check_forgotten(v, &v->call[i]);
	}
	for (size_t i = 0; i < v->gcs; i++) {
		if (is_first_forget(v, i)) {
			check_forgotten_count(v, &v->gc[i]);
		}
	}
	tell_removed(v);
}

int
verify_objects(struct verify *v, struct err *err)
{
	int rc = 0;

	if (v->calls > 0) {
		qsort(v->call, v->calls, sizeof(v->call[0]), by_id);
	}
	for (size_t i = 0; i < v->calls && rc == 0; i++) {
		rc = check_call(v, &v->call[i], err);
	}
	if (rc == 0) {
		rc = check_packs(v, err);
	}
	check_removed(v);
	return rc;
}
