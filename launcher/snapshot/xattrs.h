/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extended attributes that count. Others (SELinux labels, overlay's own bookkeeping) are marks of a
 * host and not of the content. Run by the front as the workspace's owner; values are hostile bytes.
 */
#ifndef AIRLOCK_SNAPSHOT_XATTRS_H
#define AIRLOCK_SNAPSHOT_XATTRS_H

#include <stdbool.h>

#include "../base/buf.h"
#include "../base/cleanup.h"

enum xattrs_scope {
	XATTRS_TREE,   /* user.* without user.overlay.*, security.capability, system.posix_acl_* */
	XATTRS_CHANGE, /* user.* without user.overlay.*: what a commit keeps */
	XATTRS__COUNT
};

struct xattrs {
	struct buf text; /* " xattr:NAME=SHA256" for each that counts, sorted by name; empty when
			    none */
	/* of XATTRS_CHANGE, the same for what no commit keeps: ACLs, file capabilities */
	struct buf others;
	bool capability; /* security.capability is there */
	bool opaque;	 /* the opaque attribute holds "y" */
	bool whiteout;	 /* user.overlay.whiteout or trusted.overlay.whiteout is there */
	bool redirect;	 /* an overlay redirect or metacopy: never made by our mounts */
};

#define XATTRS_INIT                                                                                \
	{                                                                                          \
		.text = BUF_INIT, .others = BUF_INIT, .capability = false, .opaque = false,        \
		.whiteout = false, .redirect = false                                               \
	}

/*
 * Reads them from an fd that is open for reading. opaque_name: the attribute that marks an opaque
 * directory, NULL for none. A file system without attributes has none. ret is finished by
 * xattrs_finish, also on failure.
 */
int xattrs_read(int fd, enum xattrs_scope scope, const char *opaque_name, struct xattrs *ret)
	must_check;
void xattrs_finish(struct xattrs *x);
/* Whether a commit keeps an attribute of that name: XATTRS_CHANGE's. */
bool xattrs_kept(const char *name);

/*
 * What a commit keeps, with values, appended to out: for each a name and a value (buf_str,
 * buf_blob), in the order of their names. fd may be O_PATH.
 */
int xattrs_save(int fd, struct buf *out) must_check;
/* Makes the attributes of fd the saved ones (adds, changes, removes). fd may be O_PATH. -EBADMSG
 * when they are not what xattrs_save writes. */
int xattrs_restore(int fd, const void *saved, size_t len) must_check;

#endif
