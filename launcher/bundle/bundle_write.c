/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of a bundle that is open for writing. Runs in airlock-cli, as the caller. Each is put whole
 * in the place of what is there, and durable: who is cut off anywhere leaves the old bundle or the
 * new one, and at most a sealed file that no manifest names.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "bundle_edit.h"
#include "bundle_internal.h"

int
bundle_write_sealed(const struct bundle_at *at, const struct bundle_item *item,
		    const struct buf *bytes, struct err *err)
{
	auto_buf name = BUF_INIT;
	int rc;

	bundle_item_file(item->name, item->version, &name);
	rc = buf_error(&name);
	rc = rc < 0 ? rc
		    : fdio_replace_at(at->dir_fd, buf_text(&name), bytes->data, bytes->len, 0600);
	return rc < 0 ? err_sys(err, rc, "write %s/%s", at->path, buf_text(&name)) : 0;
}

int
bundle_write_manifest(const struct bundle_at *at, const struct buf *bytes, struct err *err)
{
	int rc = fdio_replace_at(at->dir_fd, BUNDLE_MANIFEST, bytes->data, bytes->len, at->mode);

	return rc < 0 ? err_sys(err, rc, "write %s/" BUNDLE_MANIFEST, at->path) : 0;
}

int
bundle_remove_sealed(const struct bundle_at *at, const struct bundle_item *item, struct err *err)
{
	auto_buf name = BUF_INIT;

	bundle_item_file(item->name, item->version, &name);
	if (buf_error(&name) < 0 ||
	    (unlinkat(at->dir_fd, buf_text(&name), 0) < 0 && errno != ENOENT)) {
		return err_sys(err, buf_error(&name) < 0 ? -ENOMEM : -errno, "remove %s/%s",
			       at->path, buf_text(&name));
	}
	return 0;
}

/* ---- a new bundle ---------------------------------------------------------------------------- */

static void
put_manifest(struct buf *b, const char *name, const char *recipient)
{
	buf_printf(
		b,
		"# The credentials of a workflow: airlock-bundle(5). No secret stands here.\n"
		"bundle: %s\n"
		"# Who answers for what is in it:\n"
		"# owner: NAME\n"
		"# Who can open its sealed items, by public key (airlock creds init, age-keygen):\n"
		"recipients:\n"
		"  - %s\n"
		"# airlock creds add %s ITEM puts one here; other sources are written by hand:\n"
		"#   db:\n"
		"#     source: file\n"
		"#     path: /run/secrets/db\n"
		"items:\n",
		name, recipient, name);
}

int
bundle_create(const struct bundle_request *req, const char *name, const char *recipient,
	      struct buf *ret_path, struct err *err)
{
	auto_buf dir = BUF_INIT, text = BUF_INIT;
	auto_fd above = bundle_own_open(req, "/bundles", &dir, err), fd = -1;
	int rc;

	if (above < 0) {
		return above;
	}
	put_manifest(&text, name, recipient);
	if (buf_error(&text) < 0) {
		return err_sys(err, -ENOMEM, "make bundle %s", name);
	}
	if (mkdirat(above, name, 0700) < 0) {
		rc = errno == EEXIST ? err_set(err, -EEXIST, "%s/%s is there already, and stays",
					       buf_text(&dir), name)
				     : err_sys(err, -errno, "%s/%s", buf_text(&dir), name);
		return rc;
	}
	fd = fdio_open_dir(above, name);
	rc = fd < 0 ? fd : fdio_replace_at(fd, BUNDLE_MANIFEST, text.data, text.len, 0644);
	if (rc == 0 && fsync(above) < 0) {
		rc = -errno;
	}
	buf_printf(ret_path, "%s/%s/" BUNDLE_MANIFEST, buf_text(&dir), name);
	return rc < 0 ? err_sys(err, rc, "make %s/%s", buf_text(&dir), name) : 0;
}
