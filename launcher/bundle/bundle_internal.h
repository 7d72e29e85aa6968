/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of bundle/ share. Private to this directory and its tests. */
#ifndef AIRLOCK_BUNDLE_BUNDLE_INTERNAL_H
#define AIRLOCK_BUNDLE_BUNDLE_INTERNAL_H

#include "../profile/profile_yaml.h"
#include "bundle.h"

#define BUNDLE_BEGINS "bundle: NAME"
/* What is said of a name that is none: the name, what it is not of, BUNDLE_NAME_MAX. */
#define BUNDLE_NO_NAME                                                                    \
	"'%s' is no name of %s: small letters, digits, '.', '_', '-', the first a letter " \
	"or digit, at most %u"

/*
 * What bundle_own_path says, made with mode 0700 for each directory that is missing: a descriptor
 * for reading, or -errno. Appends its path.
 */
int bundle_own_open(const struct bundle_request *req, const char *rest, struct buf *ret_path,
		    struct err *err) must_check;
/*
 * "WHAT 'NAME'; did you mean 'X'? (there are: X, Y)": -ENOENT. name may be any text; names are
 * those that there are.
 */
int bundle_none_such(const char *what, const char *name, const char *const *names, size_t count,
		     struct err *err) must_check;
/* trusted_private, of a file that has one name: another is read or changed where nobody looks. */
int bundle_check_private(int fd, const char *path, struct err *err) must_check;
/* The value of a key; NULL where there is none, and in what is no map. */
const struct profile_node *bundle_node(const struct profile_node *map, const char *key);

#endif
