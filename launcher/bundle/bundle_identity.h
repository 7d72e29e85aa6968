/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The identity: the secret key file of age that opens sealed items. It is opened here, and read by
 * the age programs alone: the key comes into no memory of airlock. airlock-cli, as the caller.
 */
#ifndef AIRLOCK_BUNDLE_BUNDLE_IDENTITY_H
#define AIRLOCK_BUNDLE_BUNDLE_IDENTITY_H

#include "bundle.h"

#define IDENTITY_CREDENTIAL "airlock-identity"	/* in $CREDENTIALS_DIRECTORY */
#define IDENTITY_SYSTEM "/etc/airlock/identity" /* root's */
#define IDENTITY_RECIPIENT_SIZE 63u		/* age1... and the NUL */

/*
 * The first that is there, for reading: the credential in that directory (NULL or "": none), the
 * caller's own, for root the system's. A regular file with one name that nobody else can read, in a
 * directory that nobody else may write; -EPERM. -ENOENT. Appends its path.
 */
int bundle_identity_open(const struct bundle_request *req, const char *credentials, int *ret_fd,
			 struct buf *ret_path, struct err *err) must_check;
/*
 * Makes the caller's own, 0600, and opens it. What is there is never written over: -EEXIST. Appends
 * its path.
 */
int bundle_identity_make(const struct bundle_request *req, int *ret_fd, struct buf *ret_path,
			 struct err *err) must_check;
/* The public key of an identity file. */
int bundle_identity_recipient(int fd, char ret_text[IDENTITY_RECIPIENT_SIZE], struct err *err)
	must_check;

#endif
