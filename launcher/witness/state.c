/* SPDX-License-Identifier: Apache-2.0 */
/* Runs in airlock-witness. Trusts its own directory, but not that a file in it is whole. */
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "../base/fdio.h"
#include "../base/text.h"

int
witness_state_open(const char *path, int *ret_dir_fd, struct err *err)
{
	auto_fd fd = -1;
	struct stat st;
	int r = fdio_mkdirs(path, 0700);

	if (r < 0) {
		return err_sys(err, r, "%s: making the witness's directory", path);
	}
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0) {
		return err_sys(err, -errno, "%s: opening the witness's directory", path);
	}
	if (st.st_uid != geteuid() || (st.st_mode & 022) != 0) {
		return err_set(
			err, -EPERM,
			"%s: belongs to another user, or group and others can write to it; who "
			"can change what a witness remembers can make it sign a fork (chmod 700, "
			"or another --state)",
			path);
	}
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		return errno == EWOULDBLOCK
			     ? err_set(err, -EBUSY,
				       "%s: another airlock-witness is at work there; stop it, or "
				       "give this one a --state of its own",
				       path)
			     : err_sys(err, -errno, "%s: locking", path);
	}
	*ret_dir_fd = take_fd(&fd);
	return 0;
}

static void
name_of(const char *origin, char ret_name[HEX_DIGEST_SIZE])
{
	uint8_t digest[SHA256_SIZE];

	sha256_of(origin, strlen(origin), digest);
	text_hex(digest, sizeof(digest), ret_name);
}

int
witness_state_read(int dir_fd, const char *origin, struct checkpoint *ret, struct err *err)
{
	char name[HEX_DIGEST_SIZE];
	struct checkpoint c = { .size = 0 };
	auto_buf bytes = BUF_INIT;
	struct note n;
	int r;

	name_of(origin, name);
	r = fdio_slurp_file_at(dir_fd, name, NOTE_MAX, &bytes);
	if (r == -ENOENT) {
		snprintf(c.origin, sizeof(c.origin), "%s", origin);
		sha256_of("", 0, c.root);
		*ret = c;
		return 0;
	}
	if (r < 0) {
		return err_sys(err, r, "%s: reading what was cosigned of %s", name, origin);
	}
	r = checkpoint_read(buf_text(&bytes), bytes.len, &n, &c, err);
	if (r == 0 && strcmp(c.origin, origin) != 0) {
		r = err_set(err, -EBADMSG, "it is of the log %s", c.origin);
	}
	if (r < 0) {
		err_prefix(err, "%s, which says what was cosigned of %s, is damaged; restore it",
			   name, origin);
		return r;
	}
	*ret = c;
	return 0;
}

int
witness_state_write(int dir_fd, const char *origin, const char *note, size_t len, struct err *err)
{
	char name[HEX_DIGEST_SIZE];
	int r;

	name_of(origin, name);
	r = fdio_replace_at(dir_fd, name, note, len, 0600);
	return r < 0 ? err_sys(err, r, "%s: writing what was cosigned of %s", name, origin) : 0;
}
