/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the front, as the owner: the draft that a call runs over, and the change set that is held.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../base/text.h"
#include "../supervise/idmap.h"
#include "front.h"

static int
open_workflow(struct front *f)
{
	char id[UUID_TEXT_SIZE], path[64];

	text_uuid_print(f->workflow, id);
	snprintf(path, sizeof(path), "wf/%s", id);
	return fdio_open_dir(f->store.dir_fd, path);
}

static int
open_place(struct front *f, enum layer_place place, bool make)
{
	auto_fd workflow = open_workflow(f);

	return workflow < 0 ? workflow : layer_open_place(workflow, place, make);
}

static int
plan_layers(struct front *f)
{
	struct plan_layer *planned = arena_alloc(&f->arena, f->draft.count * sizeof(*planned));
	char id[UUID_TEXT_SIZE];

	text_uuid_print(f->workflow, id);
	f->req.draft_dir = arena_printf(&f->arena, "%s/wf/%s", f->store.path, id);
	if (planned == NULL || f->req.draft_dir == NULL) {
		return err_set(&f->err, -ENOMEM, "out of memory");
	}
	for (size_t i = 0; i < f->draft.count; i++) {
		bool over = f->opt.over != NULL && i + 1 == f->draft.count;
		enum layer_place place = over ? f->over_place : LAYER_DRAFT;

		planned[i] = (struct plan_layer){
			.name = arena_printf(&f->arena, "%s/%s", layer_place_words[place],
					     f->draft.items[i].name),
			.dev = f->draft.items[i].dev,
			.ino = f->draft.items[i].ino,
		};
		if (planned[i].name == NULL) {
			return err_set(&f->err, -ENOMEM, "out of memory");
		}
	}
	f->req.layers = planned;
	f->req.layer_count = f->draft.count;
	return 0;
}

/* A place that is not there has no layers. */
static int
list_place(struct front *f, enum layer_place which, struct layers *ret)
{
	auto_fd place = open_place(f, which, false);

	return place == -ENOENT ? 0
	     : place < 0	? err_sys(&f->err, place, "open the %s", layer_place_words[which])
				: layers_list(place, ret, &f->err);
}

/* What was set aside can be discarded while calls run, but not while one runs over it. */
static int
hold_over(struct front *f)
{
	auto_fd place = open_place(f, f->over_place, false);

	f->over_fd = place < 0 ? place
			       : layer_lock(place, f->draft.items[f->draft.count - 1].name, false);
	return f->over_fd < 0 ? err_sys(&f->err, f->over_fd, "--over %s: lock what is held",
					f->opt.over)
			      : 0;
}

static int
list_layers(struct front *f)
{
	struct layers aside = { .items = NULL };
	int rc = list_place(f, LAYER_DRAFT, &f->draft);

	if (rc == 0 && f->opt.over != NULL) {
		rc = list_place(f, LAYER_ASIDE, &aside);
		rc = rc < 0 ? rc : front_over(f, &aside);
		rc = rc < 0 ? rc : hold_over(f);
		layers_finish(&aside);
	}
	return rc;
}

int
front_draft(struct front *f)
{
	const struct identity *id = &f->req.identity;
	auto_fd workflow = -1;
	/* what is held is the workspace's, and lies over nothing else */
	int rc = f->opt.input == NULL ? list_layers(f) : 0;

	if (rc < 0 || f->draft.count == 0) {
		return rc;
	}
	/* what it changes is held as one more */
	if (f->draft.count + (f->req.mode != MODE_OBSERVE) > LAYERS_MAX) {
		return err_set(&f->err, -E2BIG,
			       "the draft of this workflow has %zu change sets, and no call runs "
			       "over more than %u, or adds one beyond: apply or discard some "
			       "(`airlock pending`)",
			       f->draft.count, LAYERS_MAX);
	}
	rc = plan_layers(f);
	/* the state directory is root's alone: the powerless id gets the layers as a mount */
	if (rc == 0 && id->kind == IDENTITY_RANGE) {
		workflow = open_workflow(f);
		if (workflow < 0) {
			return err_sys(&f->err, workflow, "open %s", f->req.draft_dir);
		}
		f->draft_clone = idmap_clone(workflow, f->req.draft_dir, true, id->uid_outside,
					     id->gid_outside, &f->err);
		f->req.draft_clone = f->draft_clone >= 0;
		rc = f->draft_clone < 0 ? f->draft_clone : 0;
	}
	return rc;
}

/* Where it lies already: postconditions ran over it. */
static int
move_to(struct front *f, const struct layer_keep_request *req, enum layer_place where)
{
	auto_fd aside = open_place(f, LAYER_ASIDE, false);
	int rc;

	if (where == LAYER_ASIDE) {
		return 0;
	}
	if (aside < 0) {
		return err_sys(&f->err, aside, "open what was set aside");
	}
	rc = layer_move(req, aside, &f->err);
	f->kept_aside = rc < 0;
	return rc;
}

static int
keep_in(struct front *f, enum layer_place where)
{
	auto_fd place = open_place(f, where, true);
	char name[LAYER_NAME_SIZE];
	const struct layer_keep_request req = {
		.upper_fd = f->outcome.upper_fd,
		.place_fd = place,
		.name = name,
		.owner_uid = f->req.identity.owner_uid,
		.owner_gid = f->req.identity.owner_gid,
		.max_entries = f->plan->scratch_inodes,
		.base = where == LAYER_DRAFT ? &f->draft : NULL,
		.changes = &f->changes,
	};
	int rc;

	if (place < 0) {
		return err_sys(&f->err, place, "open the %s", layer_place_words[where]);
	}
	layer_name(f->seq, f->req.call, name);
	rc = f->kept_aside ? move_to(f, &req, where) : layer_keep(&req, &f->err);
	if (rc == 0) {
		f->held_as = layer_place_words[where];
	}
	return rc;
}

int
front_keep_aside(struct front *f)
{
	int rc = keep_in(f, LAYER_ASIDE);

	f->kept_aside = rc == 0;
	f->held_as = NULL;
	return rc;
}

void
front_drop_aside(struct front *f)
{
	char name[LAYER_NAME_SIZE];
	auto_fd aside = -1;
	int rc;

	if (!f->kept_aside) {
		return;
	}
	layer_name(f->seq, f->req.call, name);
	aside = open_place(f, LAYER_ASIDE, false);
	rc = aside < 0 ? aside : layer_remove(aside, name);
	if (rc < 0) {
		front_warn(f, arena_printf(&f->arena,
					   "what was set aside for its postconditions is still "
					   "there: %s",
					   strerror(-rc)));
	}
	f->kept_aside = false;
}

/* A call beside this one may have changed the same in the draft: then it cannot lie on top. */
void
front_keep_held(struct front *f, enum layer_place where)
{
	int rc = keep_in(f, where);

	if (rc == -ESTALE && where == LAYER_DRAFT) {
		f->settle_reason = arena_string(&f->arena, f->err.text);
		rc = keep_in(f, LAYER_ASIDE);
	}
	if (rc < 0) {
		front_warn(f, arena_printf(&f->arena,
					   "the change set is held, but could not be kept to be "
					   "applied: %s",
					   f->err.text));
	}
	f->err = (struct err)ERR_INIT;
}
