/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the front, as the owner. The state directory, the day's `local` workflow, the call's
 * number and key in it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/fdio.h"
#include "../base/text.h"
#include "../store/quota.h"
#include "front.h"

/*
 * `local` is a workflow per workspace and UTC day. Its id is a digest of both (RFC 9562, version
 * 8), so that every call finds it without a registry.
 */
static void
local_workflow(struct front *f)
{
	const struct request *r = &f->req;
	time_t moment = (time_t)(front_over_time(f) / 1000);
	struct tm day;
	uint8_t digest[32];
	char text[128];
	struct sha256 hash;

	gmtime_r(&moment, &day);
	snprintf(text, sizeof(text), "%llu:%llu:%lld:%04d-%02d-%02d",
		 (unsigned long long)r->workspace_dev, (unsigned long long)r->workspace_ino,
		 (long long)r->workspace_btime_ns, day.tm_year + 1900, day.tm_mon + 1, day.tm_mday);
	sha256_init(&hash);
	sha256_update(&hash, "airlock-local v1", 17);
	sha256_update(&hash, r->workspace, strlen(r->workspace) + 1);
	sha256_update(&hash, text, strlen(text));
	sha256_final(&hash, digest);
	memcpy(f->workflow, digest, 16);
	f->workflow[6] = (uint8_t)(0x80 | (f->workflow[6] & 0x0f));
	f->workflow[8] = (uint8_t)(0x80 | (f->workflow[8] & 0x3f));
}

static int
open_workflow_dir(struct front *f)
{
	char id[UUID_TEXT_SIZE], path[64];
	int fd;

	text_uuid_print(f->workflow, id);
	snprintf(path, sizeof(path), "wf/%s", id);
	fd = fdio_make_dir(f->store.dir_fd, path);
	return fd < 0 ? err_sys(&f->err, fd, "make %s/%s", f->store.path, path) : fd;
}

/* The file's name is taken by exactly one call, also among concurrent ones. */
static int
claim_key(struct front *f, int workflow_fd)
{
	uint8_t digest[32];
	char name[HEX_DIGEST_SIZE + 8] = "key-";
	auto_fd fd = -1;

	if (f->opt.key == NULL) {
		return 0;
	}
	sha256_of(f->opt.key, strlen(f->opt.key), digest);
	text_hex(digest, 32, name + 4);
	fd = openat(workflow_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 && errno == EEXIST) {
		auto_buf used = BUF_INIT;

		ignore_err(fdio_slurp_at(workflow_fd, name, 64, &used),
			   "the call id is a courtesy");
		return err_set(&f->err, -EEXIST,
			       "--key %s was used in this workflow by call %s; a result is not "
			       "replayed yet: use another key",
			       f->opt.key, used.len > 0 ? buf_text(&used) : "(unknown)");
	}
	if (fd < 0 || fdio_write(fd, f->req.call_text, strlen(f->req.call_text)) < 0) {
		return err_sys(&f->err, fd < 0 ? -errno : -EIO, "claim the key");
	}
	return 0;
}

/*
 * Whoever forgets or collects the workflow waits for no call: shared, this lock says that one is
 * under way. It is held until the outcome is durable.
 */
static int
hold_workflow(struct front *f, int workflow_fd)
{
	int rc;

	f->calls_fd = openat(workflow_fd, "calls", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (f->calls_fd < 0) {
		return err_sys(&f->err, -errno, "open the workflow's list of calls");
	}
	rc = store_lock(f->calls_fd, LOCK_SH);
	return rc < 0 ? err_sys(&f->err, rc, "lock the workflow") : 0;
}

/* Appending one fixed record is atomic under O_APPEND; where it landed is the call's number. */
static int
take_number(struct front *f)
{
	off_t end;

	if (write(f->calls_fd, f->req.call, 16) != 16) {
		return err_sys(&f->err, errno != 0 ? -errno : -EIO, "number the call");
	}
	end = lseek(f->calls_fd, 0, SEEK_CUR);
	if (end < 16) {
		return err_sys(&f->err, -errno, "number the call");
	}
	f->seq = (uint64_t)end / 16;
	return 0;
}

int
front_state_path(struct front *f)
{
	auto_free char *path = NULL;
	int rc = store_path(getenv("AIRLOCK_STATE"), getenv("XDG_STATE_HOME"), f->req.identity.home,
			    &path, &f->err);

	if (rc == 0) {
		const char *kept = arena_string(&f->arena, path);

		/* What is compared with it, such as a worktree's repository, has none. */
		f->state_path = kept != NULL ? front_resolved(f, kept) : NULL;
		rc = f->state_path == NULL ? err_set(&f->err, -ENOMEM, "out of memory") : 0;
	}
	return rc;
}

/* Not of a call over a held change set: that is how another call's postconditions are tried. */
static int
check_quota(struct front *f)
{
	struct quota q = { 0 };
	int rc = f->opt.over != NULL ? 0 : quota_read(&f->store, &q, &f->err);

	f->quota_percent = quota_percent(&q);
	return rc < 0 ? rc : quota_check(&f->store, &q, &f->err);
}

int
front_store(struct front *f)
{
	int rc = store_open_write(f->state_path, &f->store, &f->err);

	rc = rc < 0 ? rc : check_quota(f);
	if (rc < 0) {
		return rc;
	}
	if (mkdirat(f->store.dir_fd, "cache", 0700) < 0 && errno != EEXIST) {
		return err_sys(&f->err, -errno, "make %s/cache", f->store.path);
	}
	f->t0_ms = clock_realtime_ms();
	rc = text_uuid7(f->t0_ms, f->req.call);
	if (rc < 0) {
		return err_sys(&f->err, rc, "make a call id");
	}
	text_uuid_print(f->req.call, f->req.call_text);
	local_workflow(f);
	return 0;
}

int
front_claim(struct front *f)
{
	auto_fd workflow_fd = open_workflow_dir(f);
	int rc = workflow_fd < 0 ? workflow_fd : hold_workflow(f, workflow_fd);

	rc = rc < 0 ? rc : claim_key(f, workflow_fd);
	rc = rc < 0 ? rc : take_number(f);
	return rc == 0 ? pack_init(&f->pack, &f->store, f->workflow, f->req.call, &f->err) : rc;
}
