/* SPDX-License-Identifier: Apache-2.0 */
/* Run by airlock-cli as collect.h says. What lies in layers and caches is the tools'. */
#include "collect.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/fdio.h"
#include "../base/json.h"
#include "../snapshot/fsat.h"
#include "../snapshot/layer.h"
#include "../snapshot/remove.h"
#include "../store/quota.h"
#include "../workflow/workflow.h"
#include "view_evidence.h"

#define CALLS_FILE "calls"
#define IDS_SHOWN 3u
#define NAMES_MAX 1048576u

/* ---- calls ---------------------------------------------------------------------------------- */

void
collect_calls_finish(struct collect_calls *calls)
{
	free(calls->items);
	*calls = (struct collect_calls){ .items = NULL };
}

static int
take_call(void *arg, const struct index_call *call)
{
	struct collect_calls *calls = arg;
	struct collect_call *grown =
		reallocarray(calls->items, calls->count + 1, sizeof(*calls->items));

	if (grown == NULL) {
		return -ENOMEM;
	}
	calls->items = grown;
	grown += calls->count++;
	snprintf(grown->id, sizeof(grown->id), "%s", call->id);
	grown->is_unknown = call->settled[0] == '\0';
	grown->is_held = strcmp(call->settled, "held") == 0;
	return 0;
}

int
collect_calls_list(struct reading *r, const char *workflow, struct collect_calls *ret,
		   struct err *err)
{
	const struct index_query query = { .workflow = workflow };
	struct collect_calls calls = { .items = NULL };
	int rc = index_list(r->ix, &query, take_call, &calls, err);

	rc = rc == 0 ? index_workflow_newest(r->ix, workflow, &calls.newest_ms, err) : rc;
	if (rc < 0) {
		collect_calls_finish(&calls);
		return err->code == rc ? rc : err_sys(err, rc, "list the calls of a workflow");
	}
	*ret = calls;
	return 0;
}

/* NULL when the index has no such call. */
static const struct collect_call *
find_call(const struct collect_calls *calls, const char *id)
{
	for (size_t i = 0; i < calls->count; i++) {
		if (strcmp(calls->items[i].id, id) == 0) {
			return &calls->items[i];
		}
	}
	return NULL;
}

/* ---- locks ---------------------------------------------------------------------------------- */

void
collect_finish(struct collect *c)
{
	cleanup_fd(&c->calls_fd);
	cleanup_fd(&c->dir_fd);
	*c = (struct collect)COLLECT_INIT;
}

static int
lock(int fd, const char *workflow, const char *who, struct err *err)
{
	int rc = store_lock(fd, LOCK_EX | LOCK_NB);

	if (rc == -EWOULDBLOCK) {
		return err_set(err, -EBUSY, "workflow %s: %s: try again when that has ended",
			       workflow, who);
	}
	return rc < 0 ? err_sys(err, rc, "lock workflow %s", workflow) : 0;
}

/* The workflow's directory and its list of calls, where they are. */
static int
open_locked(struct collect *c, struct err *err)
{
	char path[64];
	int rc;

	snprintf(path, sizeof(path), "wf/%s", c->workflow);
	c->dir_fd = fdio_open_dir(c->store->dir_fd, path);
	if (c->dir_fd < 0) {
		return c->dir_fd == -ENOENT
			     ? 0
			     : err_sys(err, c->dir_fd, "open %s/%s", c->store->path, path);
	}
	rc = lock(c->dir_fd, c->workflow,
		  "somebody applies, discards or takes back a change set of it", err);
	if (rc < 0) {
		return rc;
	}
	c->calls_fd = openat(c->dir_fd, CALLS_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (c->calls_fd < 0) {
		return errno == ENOENT
			     ? 0
			     : err_sys(err, -errno, "open %s/%s/" CALLS_FILE, c->store->path, path);
	}
	return lock(c->calls_fd, c->workflow, "a call of it runs", err);
}

int
collect_lock(struct store *s, const char *workflow, enum collect_kind kind, struct collect *ret,
	     struct err *err)
{
	auto_collect c = COLLECT_INIT;
	int rc = text_uuid_parse(workflow, c.uuid);

	if (rc < 0) {
		return err_set(err, rc, "%s is no workflow's id", workflow);
	}
	c.store = s;
	c.kind = kind;
	snprintf(c.workflow, sizeof(c.workflow), "%s", workflow);
	rc = open_locked(&c, err);
	if (rc < 0) {
		return rc;
	}
	*ret = c;
	/* NOLINTNEXTLINE(clang-analyzer-deadcode.DeadStores): its cleanup reads it */
	c = (struct collect)COLLECT_INIT;
	return 0;
}

/* ---- what is held --------------------------------------------------------------------------- */

static int
waits(const char *workflow, const struct buf *ids, size_t count, struct err *err)
{
	return err_set(
		err, -EBUSY,
		"workflow %s: %zu change set%s for a decision (%s%s): apply or discard %s first",
		workflow, count, count == 1 ? " waits" : "s wait", buf_text(ids),
		count > IDS_SHOWN ? ", …" : "", count == 1 ? "it" : "them");
}

/* A layer whose call is not known to be settled; its name begins with the number. */
static int
check_place(const struct collect *c, enum layer_place place, const struct collect_calls *calls,
	    struct err *err)
{
	auto_fd fd = layer_open_place(c->dir_fd, place, false);
	struct fs_names names = FS_NAMES_INIT;
	int rc = fd < 0 ? fd : fsat_list(fd, NAMES_MAX, &names);

	for (size_t i = 0; rc == 0 && i < names.count; i++) {
		const char *name = names.items[i], *dash = strchr(name, '-');
		const struct collect_call *call = dash != NULL ? find_call(calls, dash + 1) : NULL;

		if (name[0] != '.' && (call == NULL || call->is_held || call->is_unknown)) {
			rc = err_set(err, -EBUSY,
				     "workflow %s: %s/%s is kept, and no entry says that it was "
				     "decided: airlock discard %s",
				     c->workflow, layer_place_words[place], name,
				     dash != NULL ? dash + 1 : name);
		}
	}
	fsat_names_finish(&names);
	return rc == -ENOENT ? 0
	     : rc < 0 && err->code != rc
		     ? err_sys(err, rc, "look for what is held in workflow %s", c->workflow)
		     : rc;
}

int
collect_check_held(const struct collect *c, const struct collect_calls *calls, struct err *err)
{
	auto_buf ids = BUF_INIT;
	size_t held = 0;
	int rc = 0;

	for (size_t i = 0; i < calls->count; i++) {
		if (calls->items[i].is_held && held++ < IDS_SHOWN) {
			buf_printf(&ids, "%s%.13s", held > 1 ? ", " : "", calls->items[i].id);
		}
	}
	if (held > 0) {
		return waits(c->workflow, &ids, held, err);
	}
	for (enum layer_place p = 0; p < LAYER_PLACE__COUNT && rc == 0 && c->dir_fd >= 0; p++) {
		rc = check_place(c, p, calls, err);
	}
	return rc;
}

/* ---- what goes ------------------------------------------------------------------------------ */

/* The list of calls stays: it has their ids and numbers, and calls are locked by it. */
static bool
goes(const struct collect *c, const char *name)
{
	static const char *const of_gc[] = { "aside", "draft", "have" };

	if (c->kind == COLLECT_ALL) {
		return strcmp(name, CALLS_FILE) != 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(of_gc); i++) {
		if (strcmp(of_gc[i], name) == 0) {
			return true;
		}
	}
	return strncmp(name, "pack-", strlen("pack-")) == 0;
}

static uint64_t
count_objects(const struct collect *c)
{
	struct pack_catalog *catalog = NULL;
	struct err none = ERR_INIT;
	uint64_t count = 0;

	if (pack_catalog_create(c->store, c->uuid, &catalog, &none) == 0) {
		count = pack_catalog_count(catalog);
	}
	pack_catalog_destroy(catalog);
	return count;
}

void
collect_measure(const struct collect *c, uint64_t *ret_objects, uint64_t *ret_bytes)
{
	struct fs_names names = FS_NAMES_INIT;
	auto_fd caches = fdio_open_dir(c->store->dir_fd, "caches");
	uint64_t bytes = caches >= 0 ? quota_measure(caches, c->workflow) : 0;

	if (c->dir_fd >= 0 && fsat_list(c->dir_fd, NAMES_MAX, &names) == 0) {
		for (size_t i = 0; i < names.count; i++) {
			bytes += goes(c, names.items[i]) ? quota_measure(c->dir_fd, names.items[i])
							 : 0;
		}
		fsat_names_finish(&names);
	}
	*ret_objects = count_objects(c);
	*ret_bytes = bytes;
}

int
collect_drop_name(const struct collect *c, struct err *err)
{
	struct fs_names names = FS_NAMES_INIT;
	auto_fd dir = fdio_open_dir(c->store->dir_fd, WORKFLOW_NAMES);
	int rc = dir < 0 ? dir : fsat_list(dir, NAMES_MAX, &names);

	/* all are looked at: its definition may be damaged, or gone already */
	for (size_t i = 0; rc == 0 && i < names.count; i++) {
		rc = workflow_name_is_good(names.items[i])
			   ? workflow_drop_name(c->store, names.items[i], c->uuid, err)
			   : 0;
	}
	fsat_names_finish(&names);
	return rc == -ENOENT ? 0
	     : rc < 0 && err->code != rc
		     ? err_sys(err, rc, "list %s/" WORKFLOW_NAMES, c->store->path)
		     : rc;
}

int
collect_unlink(int dir_fd, const char *name)
{
	if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT) {
		return 0;
	}
	return errno == EISDIR ? remove_tree(dir_fd, name) : -errno;
}

int
collect_remove(const struct collect *c, struct err *err)
{
	struct fs_names names = FS_NAMES_INIT;
	auto_fd caches = fdio_open_dir(c->store->dir_fd, "caches");
	int first = caches >= 0 ? collect_unlink(caches, c->workflow) : 0;
	int rc = c->dir_fd >= 0 ? fsat_list(c->dir_fd, NAMES_MAX, &names) : 0;

	first = first < 0 ? first : rc;
	for (size_t i = 0; rc == 0 && i < names.count; i++) {
		int r = goes(c, names.items[i]) ? collect_unlink(c->dir_fd, names.items[i]) : 0;

		first = first < 0 ? first : r;
	}
	fsat_names_finish(&names);
	if (first == 0 && c->dir_fd >= 0 && fsync(c->dir_fd) < 0) {
		first = -errno;
	}
	if (first == 0 && c->kind == COLLECT_ALL) {
		char path[sizeof("wf/") + UUID_TEXT_SIZE];

		snprintf(path, sizeof(path), "wf/%s", c->workflow);
		ignore_err(unlinkat(c->store->dir_fd, path, AT_REMOVEDIR),
			   "it has a list of calls, which stays");
	}
	return first < 0 ? err_sys(err, first, "remove what workflow %s has in %s", c->workflow,
				   c->store->path)
			 : 0;
}

/* ---- the entry ------------------------------------------------------------------------------ */

int
collect_sign(struct err *err)
{
	auto_signing s = SIGNING_INIT;

	return signing_open(&s, err);
}

int
collect_log(struct store *s, const struct collect_entry *e, struct err *err)
{
	auto_buf record = BUF_INIT;
	struct err none = ERR_INIT;
	struct json j;
	int rc;

	json_init(&j, &record);
	json_begin_object(&j);
	json_kv_str(&j, "action", e->action);
	json_key(&j, "actor");
	store_put_actor(&j);
	json_kv_uint(&j, "bytes", e->bytes);
	json_kv_uint(&j, "entries", e->entries);
	json_kv_uint(&j, "objects", e->objects);
	json_kv_known(&j, "older_than_ms", e->by_age, (int64_t)e->older_than_ms);
	json_kv_bytes(&j, "reason", e->reason);
	json_kv_uint(&j, "t", clock_realtime_ms());
	json_kv_uint(&j, "v", 1);
	json_kv_str(&j, "workflow", e->workflow);
	json_end(&j);
	if (json_error(&j) < 0) {
		return err_sys(err, json_error(&j), "write a gc entry");
	}
	rc = store_append_event(s, ENTRY_GC, record.data, record.len, err);
	if (rc == 0) {
		/* so that a crash leaves nothing gone of which no signed entry says so */
		ignore_err(collect_sign(&none), "it is tried again, and told, when all is gone");
	}
	return rc;
}
