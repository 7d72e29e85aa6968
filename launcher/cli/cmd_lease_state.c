/* SPDX-License-Identifier: Apache-2.0 */
/* Run by `airlock-cli lease`, as the caller. */
#include "cmd_lease_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../base/text.h"
#include "../store/store.h"
#include "../sys/sys.h"
#include "view_state.h"

#define USES "uses" /* in $STATE: BUNDLE/ITEM, a number as text */
#define KEY "fingerprint-key"

static int
open_state(struct err *err)
{
	auto_store store = STORE_INIT;
	auto_free char *path = NULL;
	int rc = reading_path(&path, err);

	rc = rc < 0 ? rc : store_open_read(path, &store, err);
	return rc < 0 ? rc : take_fd(&store.dir_fd);
}

static int
make_dir(int at, const char *name)
{
	if (mkdirat(at, name, 0700) < 0 && errno != EEXIST) {
		return -errno;
	}
	return sys_openat2(at, name, O_RDONLY | O_DIRECTORY, 0, SYS_RESOLVE_NO_SYMLINKS);
}

static int
count(int fd, uint64_t max)
{
	char text[32] = "";
	uint64_t used = 0;
	const char *end;
	ssize_t n = store_lock(fd, LOCK_EX);

	n = n < 0 ? n : pread(fd, text, sizeof(text) - 1, 0);
	if (n < 0) {
		return -errno;
	}
	end = text_numbers(text, ' ', &used, 1);
	if (n > 0 && (end == NULL || strcmp(end, "\n") != 0)) {
		return -EBADMSG; /* nobody knows how often: no more */
	}
	if (used >= max) {
		return -EDQUOT;
	}
	n = snprintf(text, sizeof(text), "%llu\n", (unsigned long long)used + 1);
	n = fdio_pwrite(fd, text, (size_t)n, 0);
	return n < 0 ? (int)n : fdatasync(fd) < 0 ? -errno : 0;
}

int
lease_state_use(const char *bundle, const char *item, uint64_t max, struct err *err)
{
	auto_fd state = -1, uses = -1, dir = -1, file = -1;
	int rc;

	if (max == 0) {
		return 0;
	}
	state = open_state(err);
	if (state < 0) {
		return state;
	}
	uses = make_dir(state, USES);
	dir = uses < 0 ? uses : make_dir(uses, bundle);
	file = dir < 0 ? dir
		       : sys_openat2(dir, item, O_RDWR | O_CREAT, 0600,
				     SYS_RESOLVE_NO_SYMLINKS | SYS_RESOLVE_BENEATH);
	rc = file < 0 ? file : count(file, max);
	if (rc == -EDQUOT) {
		return err_set(err, rc,
			       "credential %s of bundle %s was leased %llu times, as often as "
			       "max_uses allows",
			       item, bundle, (unsigned long long)max);
	}
	return rc < 0 ? err_sys(err, rc, "count the leases of credential %s of bundle %s", item,
				bundle)
		      : 0;
}

static int
make_key(int state)
{
	uint8_t key[SHA256_SIZE];
	char name[64];
	auto_fd file = -1;
	int rc;

	if (getrandom(key, sizeof(key), 0) != (ssize_t)sizeof(key)) {
		return -errno;
	}
	snprintf(name, sizeof(name), KEY ".%d", (int)getpid());
	file = openat(state, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	rc = file < 0 ? -errno : fdio_write(file, key, sizeof(key));
	if (rc == 0 && (fsync(file) < 0 || linkat(state, name, state, KEY, 0) < 0) &&
	    errno != EEXIST) {
		rc = -errno;
	}
	ignore_err(unlinkat(state, name, 0), "it is empty, or a second name");
	return rc;
}

int
lease_state_key(uint8_t ret[SHA256_SIZE], struct err *err)
{
	auto_fd state = open_state(err);
	auto_fd file = -1;
	int rc = state < 0 ? state : 0;

	if (rc < 0) {
		return rc;
	}
	file = openat(state, KEY, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (file < 0 && errno == ENOENT) {
		rc = make_key(state);
		file = rc < 0 ? rc : openat(state, KEY, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	}
	rc = rc < 0 ? rc : file < 0 ? -errno : fdio_read(file, ret, SHA256_SIZE);
	return rc < 0 ? err_sys(err, rc, "the key of fingerprints, %s in the state directory", KEY)
		      : 0;
}
