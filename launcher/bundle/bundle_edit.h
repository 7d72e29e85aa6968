/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes of a manifest in the bytes that a person wrote: comments, order and layout stay. What
 * cannot be changed so is refused, before anything is written. airlock-cli, as the caller; at is
 * open for writing.
 */
#ifndef AIRLOCK_BUNDLE_BUNDLE_EDIT_H
#define AIRLOCK_BUNDLE_BUNDLE_EDIT_H

#include "bundle.h"

/*
 * The manifest with that sealed item at the end of its items. Pure. -EEXIST where the bundle has
 * one of the name; -EINVAL where the result would not be read as it, with the reader's words.
 */
int bundle_edit_add(const struct bundle_at *at, const struct bundle_item *item, struct buf *ret,
		    struct err *err) must_check;
/*
 * The manifest where version, not_after and revoked of the item are those of `to`; nothing else of
 * `to` may differ. Pure. -EINVAL where it is written so that it cannot be changed in place.
 */
int bundle_edit_item(const struct bundle_at *at, const struct bundle_item *to, struct buf *ret,
		     struct err *err) must_check;

/* A sealed file of the item, durable before it returns. */
int bundle_write_sealed(const struct bundle_at *at, const struct bundle_item *item,
			const struct buf *bytes, struct err *err) must_check;
/* The manifest, in the place of the one that is there. */
int bundle_write_manifest(const struct bundle_at *at, const struct buf *bytes, struct err *err)
	must_check;
/* Removes the sealed file of another version of the item; it need not be there. */
int bundle_remove_sealed(const struct bundle_at *at, const struct bundle_item *item,
			 struct err *err) must_check;
/*
 * A directory of that name among the caller's own bundles, with a manifest to begin with for the
 * recipient. -EEXIST. Appends the manifest's path.
 */
int bundle_create(const struct bundle_request *req, const char *name, const char *recipient,
		  struct buf *ret_path, struct err *err) must_check;

#endif
