/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs in airlock-log and airlock-cli, as the caller. The key file is trusted when nobody else
 * could have written or read it. */
#include "log_key.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "../base/fdio.h"
#include "../base/text.h"
#include "../base/trusted.h"

int
log_dir_open(const struct store *s, int *ret_fd, struct err *err)
{
	int fd = fdio_open_dir(s->dir_fd, LOG_DIR);

	if (fd < 0) {
		return err_sys(err, fd, "%s/" LOG_DIR, s->path);
	}
	*ret_fd = fd;
	return 0;
}

int
log_key_read(int dirfd, const char *path, uint8_t algorithm, struct note_signer *ret,
	     struct err *err)
{
	/* a FIFO is refused, not waited for */
	auto_fd fd = openat(dirfd, path, O_RDONLY | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	int rc;

	if (fd < 0) {
		return err_sys(err, -errno, "%s", path);
	}
	rc = trusted_private(fd, path, err);
	return rc == 0 ? note_signer_read(fd, path, algorithm, ret, err) : rc;
}

int
log_key_load(const struct store *s, const char *credentials, struct note_signer *ret,
	     char **ret_path, struct err *err)
{
	const struct {
		const char *dir, *name;
	} places[] = { { text_or_null(credentials), LOG_KEY_CREDENTIAL },
		       { s->path, LOG_KEY_FILE } };
	auto_buf path = BUF_INIT;
	int rc = -ENOENT;

	for (size_t i = 0; i < ARRAY_LEN(places) && rc == -ENOENT; i++) {
		if (places[i].dir == NULL) {
			continue;
		}
		buf_reset(&path);
		buf_printf(&path, "%s/%s", places[i].dir, places[i].name);
		rc = buf_error(&path) != 0 ? err_sys(err, -ENOMEM, "read the log's key")
					   : log_key_read(AT_FDCWD, buf_text(&path),
							  NOTE_ALGORITHM_ED25519, ret, err);
	}
	if (rc == 0 && ret_path != NULL) {
		*ret_path = strdup(buf_text(&path));
		rc = *ret_path == NULL ? err_sys(err, -ENOMEM, "read the log's key") : 0;
	}
	return rc;
}

/* A host's name is somebody's choice: what may not stand in a key's name becomes '-'. */
static int
default_origin(char ret_name[NOTE_KEY_NAME_MAX + 1], struct err *err)
{
	char host[HOST_NAME_MAX + 1] = "";
	uint8_t random[4];
	char hex[9];

	if (gethostname(host, sizeof(host) - 1) < 0 ||
	    getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
		return err_sys(err, -errno, "name the log");
	}
	for (char *p = host; *p != '\0'; p++) {
		if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-",
			   *p) == NULL) {
			*p = '-';
		}
	}
	text_hex(random, sizeof(random), hex);
	snprintf(ret_name, NOTE_KEY_NAME_MAX + 1, "%.100s/airlock/%s",
		 host[0] != '\0' ? host : "localhost", hex);
	return 0;
}

int
log_key_write(const struct store *s, const char *name, const struct note_signer *signer,
	      struct err *err)
{
	auto_secret_buf pem = BUF_INIT;
	int rc = note_signer_print(signer, &pem, err);

	if (rc != 0) {
		return rc;
	}
	rc = fdio_replace_at(s->dir_fd, name, pem.data, pem.len, 0600);
	return rc != 0 ? err_sys(err, rc, "write %s/%s", s->path, name) : 0;
}

bool
log_key_is_file(const struct store *s, const char *path)
{
	size_t len = strlen(s->path);

	return strncmp(path, s->path, len) == 0 && strcmp(path + len, "/" LOG_KEY_FILE) == 0;
}

int
log_key_make(const struct store *s, const char *credentials, const char *origin,
	     struct note_signer *ret, struct err *err)
{
	auto_note_signer there = { .key.algorithm = 0 };
	char name[NOTE_KEY_NAME_MAX + 1];
	struct err none = ERR_INIT;
	int rc = log_key_load(s, credentials, &there, NULL, &none);

	if (rc != -ENOENT) {
		return rc == 0 ? err_set(err, -EEXIST, "this log has a key: %s", there.key.name)
			       : err_set(err, rc, "%s", none.text);
	}
	rc = origin != NULL ? note_name_check(origin, err) : default_origin(name, err);
	if (rc == 0) {
		rc = note_signer_generate(origin != NULL ? origin : name, NOTE_ALGORITHM_ED25519,
					  ret, err);
	}
	return rc == 0 ? log_key_write(s, LOG_KEY_FILE, ret, err) : rc;
}

int
log_key_publish(const struct store *s, const struct note_key *key, struct err *err)
{
	auto_buf text = BUF_INIT;
	int rc;

	note_key_print(key, &text);
	buf_putc(&text, '\n');
	if (buf_error(&text) != 0) {
		return err_sys(err, -ENOMEM, "write the log's public key");
	}
	if (mkdirat(s->dir_fd, LOG_DIR, 0755) < 0 && errno != EEXIST) {
		return err_sys(err, -errno, "make %s/" LOG_DIR, s->path);
	}
	rc = fdio_update_at(s->dir_fd, LOG_VKEY_FILE, text.data, text.len, 0644);
	return rc != 0 ? err_sys(err, rc, "write %s/" LOG_VKEY_FILE, s->path) : 0;
}

void
log_key_rotation_text(const struct note_key *old, const struct note_key *next, struct buf *out)
{
	buf_printf(out, "airlock key rotation v1\n%s\n", old->name);
	note_key_print(old, out);
	buf_putc(out, '\n');
	note_key_print(next, out);
	buf_putc(out, '\n');
}
