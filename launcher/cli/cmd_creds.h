/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the verbs below `airlock creds` share. airlock-cli only, as the caller. Values are in locked
 * memory from where they are read until they are with age.
 */
#ifndef AIRLOCK_CLI_CMD_CREDS_H
#define AIRLOCK_CLI_CMD_CREDS_H

#include "../sys/locked.h"
#include "../bundle/bundle.h"
#include "../bundle/bundle_edit.h"
#include "../bundle/sealed.h"

/* ---- the request and the bundle (cmd_creds.c) ------------------------------------------------ */

/* A verb's bundle, and what is to be said of errors in its manifest. */
struct creds {
	struct bundle_request req;
	struct bundle_at at;
	struct buf report;
	struct err err;
};

#define auto_creds __attribute__((cleanup(creds_finish))) struct creds

/* Of this process: HOME and XDG_CONFIG_HOME of its environment, borrowed. */
void creds_init(struct creds *c);
void creds_finish(struct creds *c);
/* The report or the error on stderr; returns status. */
int creds_fail(const struct creds *c, int status);
/* When it can be used until: appends "until 2027-01-01T00:00:00Z" and the like, "" for always. */
void creds_put_state(const struct bundle_item *item, struct buf *out);
/* From now on no other process of the user's can look into this one, and it leaves no core. */
int creds_harden(struct err *err) must_check;
/* Locked memory of that size, with words where there is none. */
int creds_lock(struct locked *ret, size_t size, struct err *err) must_check;

/* ---- the value (cmd_creds_value.c) ----------------------------------------------------------- */

/* Where a person says that the value is; both NULL: a terminal is asked. */
struct creds_from {
	const char *file, *fd;
};

/* An option of add and rotate: true when it was one of these two. */
bool creds_from_option(struct creds_from *from, const char *name, const char *argument);
/*
 * The value, with a NUL behind it, in memory that is the caller's. A file's bytes are the value; of
 * a line from the terminal the newline is not. -EINVAL where it is empty or longer than CAP_VALUE.
 */
int creds_value_read(const struct creds_from *from, const char *what, struct locked *ret,
		     size_t *ret_len, struct err *err) must_check;
/*
 * What fd has into room, of CAP_VALUE + 1 bytes at least: all of it, and one byte more where there
 * is more than a value may have. path is for the error.
 */
int creds_value_read_all(int fd, const char *path, const struct locked *room, size_t *ret_len,
			 struct err *err) must_check;
/* Whether the value is what its delivery needs: a key that an agent can have. -EBADMSG. */
int creds_value_check(enum bundle_delivery deliver, const uint8_t *value, size_t len,
		      struct err *err) must_check;
/*
 * One line from the terminal, which shows nothing of it; at most size bytes without the newline.
 * -ECANCELED after a signal, which ends the process where it can. (cmd_creds_prompt.c)
 */
int creds_prompt(const char *what, uint8_t *data, size_t size, size_t *ret_len, struct err *err)
	must_check;

/*
 * Seals the value for the item as it is in `to`, into a new file, and then has the manifest say
 * what `manifest` says. c->at is open for writing. (cmd_creds_add.c)
 */
int creds_seal(struct creds *c, const struct bundle_item *to, const struct sealed_value *value,
	       const struct buf *manifest) must_check;
/*
 * Whether the file opens with the identity, is made for the place and has what its delivery needs,
 * in a process of its own. Version 0: the file is the value itself, and identity unused, but open.
 * -EBADMSG with that process's words. (cmd_creds_open.c)
 */
int creds_try_open(const struct sealed_place *place, enum bundle_delivery deliver, int file,
		   int identity, struct err *err) must_check;
/* A moment as a person names it, which lies ahead, to the second. */
int creds_not_after(const char *text, uint64_t *ret_ms, struct err *err) must_check;

#endif
