/* SPDX-License-Identifier: Apache-2.0 */
/* Opens the caller's state directory for reading. Runs in airlock-cli as the caller. */
#include "view_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../log/log_write.h"
#include "../snapshot/layer.h"
#include "../store/index_compare.h"
#include "../workflow/workflow.h"
#include "../workflow/running.h"
#include "cmd_profile.h"
#include "settle_recover.h"

/*
 * An auditor's copy may be read-only: then the index that is there is read, and it is said that it
 * may be behind.
 */
static int
catch_up(struct store *s, struct err *err)
{
	int rc = index_catch_up(s, err);

	if (rc == -EROFS || rc == -EACCES) {
		fprintf(stderr, "airlock: the index may be behind the journal: %s\n", err->text);
		return 0;
	}
	return rc;
}

/* What a crash left is settled before anybody reads how it was settled. */
static void
recover(const struct reading *r, const char *path, bool quiet)
{
	auto_store store = STORE_INIT;
	struct err err = ERR_INIT;
	int rc = commit_is_left(&r->store) != 0 ? store_open_write(path, &store, &err) : -ENOENT;

	if (rc == 0) {
		ignore_err(settle_recover_all(&store, quiet, &err), "it was told, call by call");
	} else if (rc != -ENOENT) {
		fprintf(stderr, "airlock: commits that were cut short are not recovered: %s\n",
			err.text);
	}
}

/* Calls go on when the log cannot be signed; whoever reads must not believe that it is. */
static void
warn_unsigned(const struct store *s)
{
	auto_buf why = BUF_INIT, safe = BUF_INIT;

	if (log_refusal(s, &why) == 0) {
		text_safe(&safe, why.data, why.len, false);
		fprintf(stderr, "airlock: the log is not signed any more: %s\n", buf_text(&safe));
	}
}

/*
 * Where there is no room for the index, what makes room must still be able to read: the journal is
 * read instead, into a temporary one.
 */
static int
open_index(struct reading *r, struct err *err)
{
	struct err why = ERR_INIT;
	int rc = catch_up(&r->store, err);

	if (rc == -ENOSPC || rc == -EDQUOT) {
		if (index_open_fresh(&r->store, &r->ix, &why) != 0) {
			return rc;
		}
		if (!r->has_no_room) {
			fprintf(stderr, "airlock: the index is not kept up to date: %s\n",
				err->text);
		}
		r->has_no_room = true;
		*err = (struct err)ERR_INIT;
		return 0;
	}
	return rc == 0 ? index_open_read(&r->store, &r->ix, err) : rc;
}

int
reading_path(char **ret_path, struct err *err)
{
	return store_path(getenv("AIRLOCK_STATE"), getenv("XDG_STATE_HOME"), places_home(),
			  ret_path, err);
}

static int
open_reading(struct reading *ret, bool recovers, bool quiet, struct err *err)
{
	struct reading r = READING_INIT;
	auto_free char *path = NULL;
	int rc = reading_path(&path, err);

	if (rc == 0) {
		rc = store_open_read(path, &r.store, err);
	}
	if (rc == -ENOENT) {
		return err_set(err, -ENOENT, "no call is recorded yet in %s", path);
	}
	if (rc == 0) {
		if (recovers) {
			recover(&r, path, quiet);
		}
		rc = open_index(&r, err);
	}
	if (rc == 0 && !quiet) {
		warn_unsigned(&r.store);
	}
	if (rc != 0) {
		reading_finish(&r);
		return rc;
	}
	*ret = r;
	return 0;
}

int
reading_open(struct reading *ret, struct err *err)
{
	return open_reading(ret, true, false, err);
}

int
reading_open_quiet(struct reading *ret, struct err *err)
{
	return open_reading(ret, true, true, err);
}

int
reading_open_raw(struct reading *ret, struct err *err)
{
	return open_reading(ret, false, true, err);
}

int
reading_refresh(struct reading *r, struct err *err)
{
	index_close(r->ix);
	r->ix = NULL;
	return open_index(r, err);
}

const char *
reading_workflow(const struct reading *r, const char *said, char ret[UUID_TEXT_SIZE])
{
	struct err none = ERR_INIT;
	uint8_t id[16];

	if (said == NULL || workflow_find(&r->store, said, id, &none) != 0) {
		return said;
	}
	text_uuid_print(id, ret);
	return ret;
}

static int
add_id(void *arg, const struct index_call *call)
{
	struct call_ids *ids = arg;
	void *grown = reallocarray(ids->items, ids->count + 1, sizeof(*ids->items));

	if (grown == NULL) {
		return -ENOMEM;
	}
	ids->items = grown;
	ids->several |= ids->count > 0 && strcmp(ids->workflow, call->workflow) != 0;
	snprintf(ids->workflow, sizeof(ids->workflow), "%s", call->workflow);
	snprintf(ids->items[ids->count++], UUID_TEXT_SIZE, "%s", call->id);
	return 0;
}

int
reading_list(struct reading *r, const struct index_query *query, struct call_ids *ret,
	     struct err *err)
{
	int rc = index_list(r->ix, query, add_id, ret, err);

	return rc < 0 && err->code != rc ? err_sys(err, rc, "list the calls") : rc;
}

bool
reading_is_running(const struct reading *r, const char *id)
{
	return running_is_alive(&r->store, id) > 0;
}

bool
reading_is_frozen(const struct reading *r, const char *id)
{
	struct running_call c;

	return running_look(&r->store, id, &c) == 0 && c.is_alive && c.is_frozen;
}

const char *
reading_layer(const struct reading *r, const char *workflow, uint64_t seq, const char *id)
{
	char name[LAYER_NAME_SIZE];
	uint8_t call[16];

	if (text_uuid_parse(id, call) != 0) {
		return "";
	}
	layer_name(seq, call, name);
	for (enum layer_place i = 0; i < LAYER_PLACE__COUNT; i++) {
		auto_buf path = BUF_INIT;

		buf_printf(&path, "wf/%s/%s/%s", workflow, layer_place_words[i], name);
		if (buf_error(&path) == 0 &&
		    faccessat(r->store.dir_fd, buf_text(&path), F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
			return layer_place_words[i];
		}
	}
	return "";
}

void
reading_finish(struct reading *r)
{
	pack_catalog_destroy(r->catalog);
	r->catalog = NULL;
	index_close(r->ix);
	r->ix = NULL;
	store_finish(&r->store);
}
