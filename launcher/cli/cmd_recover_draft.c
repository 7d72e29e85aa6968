/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers of calls that are unknown. A front keeps what a call leaves before its outcome says so:
 * one that dies in between leaves a layer in the draft that no record names. No later call may run
 * over what nobody knows: it is set aside, where `airlock discard` finds it. Run by airlock-cli,
 * under the workflow's ledger.
 */
#include <errno.h>

#include "../snapshot/layer.h"
#include "cmd_recover.h"
#include "view_record.h"

/* A living call's own layer stands there for the moment in which its outcome is written. */
static int
is_unknown(struct reading *r, const struct layer *layer, struct err *err)
{
	char call[UUID_TEXT_SIZE];
	auto_record rec = RECORD_INIT;
	int rc;

	text_uuid_print(layer->call, call);
	rc = record_load(r, call, &rec, err);
	if (rc == -ENOENT) {
		return 0; /* forgotten: what is left of it is gc's */
	}
	return rc < 0 ? rc : rec.outcome == NULL && !rec.is_running;
}

int
recover_draft(struct reading *r, int workflow_fd, struct err *err)
{
	auto_fd draft = layer_open_place(workflow_fd, LAYER_DRAFT, false);
	auto_fd aside = -1;
	struct layers layers = { .items = NULL };
	int rc = draft == -ENOENT ? 0
	       : draft < 0	  ? err_sys(err, draft, "open the draft")
				  : layers_list(draft, &layers, err);

	for (size_t i = 0; rc == 0 && i < layers.count; i++) {
		struct layer_keep_request req = { .name = layers.items[i].name };
		int unknown = is_unknown(r, &layers.items[i], err);

		if (unknown > 0 && aside < 0) {
			aside = layer_open_place(workflow_fd, LAYER_ASIDE, true);
			unknown = aside < 0 ? err_sys(err, aside, "open what is set aside") : 1;
		}
		req.place_fd = aside;
		rc = unknown > 0 ? layer_move(&req, draft, err) : unknown;
	}
	layers_finish(&layers);
	return rc;
}
