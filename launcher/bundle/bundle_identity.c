/* SPDX-License-Identifier: Apache-2.0 */
/* Runs in airlock-cli, as the caller. The key goes from age-keygen into the file, past us. */
#include "bundle_identity.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../base/text.h"
#include "../base/trusted.h"
#include "../sys/sys.h"
#include "bundle_values.h"
#include "sealed.h"
#include "sealed_age.h"

#define OWN_FILE "identity"
#define SAID_MAX 4096u

/* ---- open ------------------------------------------------------------------------------------ */

static int
check_identity(int dirfd, int fd, const struct bundle_request *req, const char *dir,
	       const char *path, struct err *err)
{
	const struct trust trust = { req->caller, req->unmapped, false };
	struct stat st;
	int rc = bundle_check_private(fd, path, err);

	if (rc == 0 && fstat(dirfd, &st) < 0) {
		rc = err_sys(err, -errno, "%s", dir);
	}
	return rc < 0 ? rc : trusted_owner(&trust, dir, &st, err);
}

/* -ENOENT where it is not there. */
static int
open_in(const struct bundle_request *req, const char *dir, const char *name, int *ret_fd,
	struct buf *ret_path, struct err *err)
{
	auto_fd dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC), fd = -1;
	auto_buf path = BUF_INIT;
	int rc;

	if (dirfd < 0) {
		return err_sys(err, -errno, "%s", dir);
	}
	buf_printf(&path, "%s/%s", dir, name);
	fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0) {
		return errno == ELOOP ? err_set(err, -EPERM, "%s is a link", buf_text(&path))
				      : err_sys(err, -errno, "%s", buf_text(&path));
	}
	rc = check_identity(dirfd, fd, req, dir, buf_text(&path), err);
	if (rc == 0) {
		buf_puts(ret_path, buf_text(&path));
		*ret_fd = take_fd(&fd);
	}
	return rc;
}

/* Inside a user namespace the system's may be there, and closed to us. */
static int
open_system(const struct bundle_request *req, int *ret_fd, struct buf *ret_path, struct err *err)
{
	const char *slash = strrchr(IDENTITY_SYSTEM, '/');
	auto_buf dir = BUF_INIT;
	int rc;

	if (geteuid() != 0) {
		return -ENOENT;
	}
	buf_put(&dir, IDENTITY_SYSTEM, (size_t)(slash - IDENTITY_SYSTEM));
	rc = open_in(req, buf_text(&dir), slash + 1, ret_fd, ret_path, err);
	return rc == -EACCES ? -ENOENT : rc;
}

int
bundle_identity_open(const struct bundle_request *req, const char *credentials, int *ret_fd,
		     struct buf *ret_path, struct err *err)
{
	auto_buf own = BUF_INIT;
	int rc = -ENOENT;

	bundle_own_path(req, "", &own);
	if (buf_error(&own) < 0) {
		return err_sys(err, -ENOMEM, "open the identity");
	}
	if (text_or_null(credentials) != NULL) {
		rc = open_in(req, credentials, IDENTITY_CREDENTIAL, ret_fd, ret_path, err);
	}
	if (rc == -ENOENT) {
		rc = open_in(req, buf_text(&own), OWN_FILE, ret_fd, ret_path, err);
	}
	if (rc == -ENOENT) {
		rc = open_system(req, ret_fd, ret_path, err);
	}
	return rc != -ENOENT
		     ? rc
		     : err_set(err, -ENOENT,
			       "no identity: %s/" OWN_FILE " is not there; airlock creds init "
			       "makes it",
			       buf_text(&own));
}

/* ---- make ------------------------------------------------------------------------------------ */

static int
run_keygen(const char *const *argv, int in_fd, int out_fd, struct err *err)
{
	auto_age_child age = AGE_CHILD_INIT;
	int rc;

	age.argv = argv;
	age.in_fd = in_fd;
	age.out_fd = out_fd;
	rc = age_start(&age, err);
	return rc < 0 ? rc : age_wait(&age, err);
}

static int
random_name(char ret_name[32])
{
	uint8_t random[8];
	char hex[17];

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
		return -EIO;
	}
	text_hex(random, sizeof(random), hex);
	snprintf(ret_name, 32, "." OWN_FILE "-%s", hex);
	return 0;
}

/* A key under another name first: whoever opens the identity finds a whole one, or none. */
static int
make_in(int dirfd, const char *path, struct err *err)
{
	static const char *const argv[] = { SEALED_KEYGEN, NULL };
	auto_fd null = open("/dev/null", O_RDONLY | O_CLOEXEC), fd = -1;
	char name[32];
	int rc = random_name(name);

	if (rc == 0) {
		fd = openat(dirfd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		rc = fd < 0 || null < 0 ? -errno : 0;
	}
	if (rc < 0) {
		return err_sys(err, rc, "make %s", path);
	}
	rc = fchmod(fd, 0600) < 0 ? err_sys(err, -errno, "make %s", path)
				  : run_keygen(argv, null, fd, err);
	if (rc == 0 && fsync(fd) < 0) {
		rc = err_sys(err, -errno, "make %s", path);
	}
	if (rc == 0) {
		rc = sys_renameat2(dirfd, name, dirfd, OWN_FILE, RENAME_NOREPLACE);
		rc = rc == -EEXIST ? err_set(err, rc, "%s is there already, and stays", path)
		   : rc < 0	   ? err_sys(err, rc, "make %s", path)
				   : 0;
	}
	if (rc < 0) {
		ignore_err(unlinkat(dirfd, name, 0), "the first failure is what counts");
	}
	return rc;
}

int
bundle_identity_make(const struct bundle_request *req, int *ret_fd, struct buf *ret_path,
		     struct err *err)
{
	auto_buf dir = BUF_INIT, path = BUF_INIT;
	auto_fd dirfd = bundle_own_open(req, "", &dir, err);
	int rc;

	if (dirfd < 0) {
		return dirfd;
	}
	bundle_own_path(req, "/" OWN_FILE, &path);
	rc = make_in(dirfd, buf_text(&path), err);
	if (rc == 0 && fsync(dirfd) < 0) {
		rc = err_sys(err, -errno, "%s", buf_text(&dir));
	}
	return rc < 0 ? rc : open_in(req, buf_text(&dir), OWN_FILE, ret_fd, ret_path, err);
}

int
bundle_identity_recipient(int fd, char ret_text[IDENTITY_RECIPIENT_SIZE], struct err *err)
{
	static const char *const argv[] = { SEALED_KEYGEN, "-y", NULL };
	auto_fd out = fdio_memfd("recipient", "", 0);
	auto_buf said = BUF_INIT;
	int rc;

	if (out < 0 || lseek(fd, 0, SEEK_SET) < 0) {
		return err_sys(err, out < 0 ? out : -errno, "read the identity");
	}
	rc = run_keygen(argv, fd, out, err);
	if (rc < 0) {
		return rc;
	}
	if (lseek(out, 0, SEEK_SET) < 0 || fdio_slurp(out, SAID_MAX, &said) < 0 || said.len == 0) {
		return err_set(err, -EIO, "age-keygen did not say the public key");
	}
	said.data[strcspn(buf_text(&said), "\n")] = '\0';
	if (!bundle_recipient_is_right(buf_text(&said))) {
		return err_set(err, -EINVAL,
			       "the identity is no X25519 key of age; airlock creds init makes "
			       "one");
	}
	memcpy(ret_text, buf_text(&said), IDENTITY_RECIPIENT_SIZE);
	return 0;
}
