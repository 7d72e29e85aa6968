/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Held change sets: an overlay's upper directory, kept in the state directory as
 * wf/<workflow>/draft/<number>-<call>/upper, or aside/ in the place of draft/. The draft is what
 * later calls of the workflow see, oldest below; what is set aside nobody sees until a person
 * decides. Run by the front and the verbs that settle, as the workspace's owner or root. A layer's
 * entries were filled by a tool; where they stand is ours.
 *
 * The draft grows under the workspace's shared lock and shrinks under the exclusive one: a layer
 * that a running call has mounted does not go away.
 */
#ifndef AIRLOCK_SNAPSHOT_LAYER_H
#define AIRLOCK_SNAPSHOT_LAYER_H

#include "snapshot.h"

#define LAYER_NAME_SIZE 48 /* ten digits, '-', uuid, NUL: names sort as the calls began */
#define LAYERS_MAX 64u	   /* of a draft: what one overlay is made of */

enum layer_place { LAYER_DRAFT, LAYER_ASIDE, LAYER_PLACE__COUNT };

extern const char *const layer_place_words[LAYER_PLACE__COUNT];

struct layer {
	char name[LAYER_NAME_SIZE];
	uint8_t call[16];
	uint64_t dev, ino; /* of its upper directory */
};

struct layers {
	struct layer *items; /* oldest first; owned */
	size_t count;
};

void layer_name(uint64_t seq, const uint8_t call[16], char ret_name[LAYER_NAME_SIZE]);

/* The directory of a workflow's layers; make: when absent. fd, -ENOENT or another -errno. */
int layer_open_place(int workflow_fd, enum layer_place place, bool make) must_check;

/* -E2BIG for more than LAYERS_MAX. A directory without layers gives none. */
int layers_list(int place_fd, struct layers *ret, struct err *err) must_check;
void layers_finish(struct layers *l);

/*
 * The layer's upper directory, readable: fd or -errno. Modes that an earlier reading of it was
 * killed over are put right first.
 */
int layer_open(int place_fd, const char *name) must_check;

/*
 * Locks the layer, shared while something runs over it or alone to remove it, until the descriptor
 * that it gives is closed. -EAGAIN when somebody else has it.
 */
int layer_lock(int place_fd, const char *name, bool alone) must_check;

/*
 * Copies what upper_fd holds into a new layer, durably. All or nothing. base: the layers that the
 * call ran over. Where it changes a path that a newer layer of the same draft has, it does not fit
 * on top, nor on LAYERS_MAX of them: -ESTALE, and err says so.
 */
struct layer_keep_request {
	int upper_fd, place_fd;
	const char *name;
	uid_t owner_uid; /* root gives the layer these ids */
	gid_t owner_gid;
	uint64_t max_entries;
	const struct layers *base;	  /* NULL: whatever is there, it does not matter */
	const struct change_set *changes; /* with base only */
};

int layer_keep(const struct layer_keep_request *req, struct err *err) must_check;

/* The same of a layer that is kept in another place of the workflow: it moves, or stays. */
int layer_move(const struct layer_keep_request *req, int from_fd, struct err *err) must_check;

/* Wherever in the store the call's layer is, or half of it: for who finishes another's work. */
int layer_forget(const struct store *s, const uint8_t call[16]) must_check;
/* 0 also when it is gone. */
int layer_remove(int place_fd, const char *name) must_check;

#endif
