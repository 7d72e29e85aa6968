/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The private key that signs a state directory's log. It belongs to this one log: two logs under
 * one key and origin would be a fork. airlock-log and airlock-cli, as the caller, under index.lock
 * when they write.
 *
 * Where it is: the systemd credential LOG_KEY_CREDENTIAL in $CREDENTIALS_DIRECTORY when there is
 * one, else $STATE/log.key, 0600, the caller's own. $STATE/log/vkey is the public key.
 */
#ifndef AIRLOCK_LOG_KEY_H
#define AIRLOCK_LOG_KEY_H

#include "../store/store.h"
#include "../evidence/note.h"

#define LOG_DIR "log"
#define LOG_KEY_FILE "log.key"
#define LOG_KEY_NEXT_FILE "log.key.next" /* of a rotation that is under way */
#define LOG_VKEY_FILE LOG_DIR "/vkey"
#define LOG_KEY_CREDENTIAL "airlock-log-key"

/* Opens $STATE/log, where the tiles are; -ENOENT while there is no log. */
int log_dir_open(const struct store *s, int *ret_fd, struct err *err) must_check;

/* credentials: $CREDENTIALS_DIRECTORY, NULL or "" when unset. -ENOENT when there is no key yet;
 * -EPERM when others could read it; *ret_path (may be NULL): where it was, a heap string. */
int log_key_load(const struct store *s, const char *credentials, struct note_signer *ret,
		 char **ret_path, struct err *err) must_check;
/* Any key file of that kind (a witness's, the next key of a rotation). */
int log_key_read(int dirfd, const char *path, uint8_t algorithm, struct note_signer *ret,
		 struct err *err) must_check;
/*
 * Makes one in $STATE/log.key; origin NULL: `<host name>/airlock/<8 hex digits>`. -EEXIST when
 * there is one, there or as a credential.
 */
int log_key_make(const struct store *s, const char *credentials, const char *origin,
		 struct note_signer *ret, struct err *err) must_check;
/* Writes it below the state directory, 0600; one writer at a time. */
int log_key_write(const struct store *s, const char *name, const struct note_signer *signer,
		  struct err *err) must_check;
/* Whether a path of log_key_load is the file in the state directory, and no credential. */
bool log_key_is_file(const struct store *s, const char *path);
/* Writes $STATE/log/vkey. */
int log_key_publish(const struct store *s, const struct note_key *key, struct err *err) must_check;

/* ---- rotation: signed by both keys ----------------------------------------------------------- */

/* What both sign: "airlock key rotation v1\n<origin>\n<old vkey>\n<new vkey>\n". */
void
log_key_rotation_text(const struct note_key *old, const struct note_key *next, struct buf *out);

#endif
