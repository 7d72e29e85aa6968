/* SPDX-License-Identifier: Apache-2.0 */
/* Runs in airlock-cli, airlock-log and helpers, as the caller; files are anybody's. */
#include "trusted.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "fdio.h"
#include "limits.h"
#include "text.h"

uid_t
trusted_unmapped_uid(void)
{
	auto_buf map = BUF_INIT, overflow = BUF_INIT;
	uint64_t row[3], uid; /* inside, outside, count */

	if (fdio_slurp_at(AT_FDCWD, "/proc/sys/kernel/overflowuid", CAP_PROC_FILE, &overflow) < 0 ||
	    fdio_slurp_at(AT_FDCWD, "/proc/self/uid_map", CAP_PROC_FILE, &map) < 0 ||
	    text_numbers(buf_text(&overflow), ' ', &uid, 1) == NULL) {
		return (uid_t)-1;
	}
	for (const char *p = buf_text(&map); (p = text_numbers(p, ' ', row, 3)) != NULL;) {
		if (uid >= row[0] && uid - row[0] < row[2]) {
			return (uid_t)-1;
		}
	}
	return (uid_t)uid;
}

int
trusted_owner(const struct trust *trust, const char *path, const struct stat *st, struct err *err)
{
	auto_buf word = BUF_INIT;
	bool known = st->st_uid == 0 || st->st_uid == trust->caller ||
		     (trust->is_system && st->st_uid == trust->unmapped);

	if (!known && st->st_uid == trust->unmapped) {
		return err_set(
			err, -EPERM,
			"%s belongs to somebody whom this user namespace does not map; use a copy "
			"of your own",
			path);
	}
	text_shell(&word, path);
	if (!known) {
		return err_set(
			err, -EPERM,
			"%s belongs to uid %u, neither root nor the caller; run: chown %u %s", path,
			(unsigned int)st->st_uid, (unsigned int)trust->caller, buf_text(&word));
	}
	if ((st->st_mode & 022) != 0) {
		return err_set(err, -EPERM,
			       "%s is writable by others (mode %04o); run: chmod go-w %s", path,
			       (unsigned int)st->st_mode & 07777, buf_text(&word));
	}
	return 0;
}

int
trusted_private(int fd, const char *path, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0) {
		return err_sys(err, -errno, "%s", path);
	}
	if (!S_ISREG(st.st_mode)) {
		return err_set(err, -EPERM, "%s is not a regular file", path);
	}
	if (st.st_uid != geteuid() && st.st_uid != 0) {
		return err_set(err, -EPERM, "%s belongs to uid %u, not to you (%u)", path,
			       (unsigned int)st.st_uid, (unsigned int)geteuid());
	}
	/* systemd gives a user a credential by an ACL, whose mask stands in the group's bits */
	if (st.st_uid == 0 && st.st_gid == 0 && (st.st_mode & 07777) == 0440) {
		return 0;
	}
	if ((st.st_mode & 077) != 0) {
		return err_set(err, -EPERM, "%s can be read by others (mode %04o): chmod 0600 it",
			       path, (unsigned int)(st.st_mode & 07777));
	}
	return 0;
}
