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

/*
 * Not of a call over a held change set: that is how another call's postconditions are tried. Nor of
 * one that ends what was given: it must not live on because of a record of few bytes.
 */
static int
check_quota(struct front *f)
{
	struct quota q = { 0 };
	int rc = f->opt.over != NULL ? 0 : quota_read(&f->store, &q, &f->err);

	f->quota_percent = quota_percent(&q);
	rc = rc < 0 ? rc : quota_check(&f->store, &q, &f->err);
	if (rc < 0 && front_serves_owed(f)) {
		f->err = (struct err)ERR_INIT;
		return 0;
	}
	return rc;
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
	if (f->opt.workflow != NULL && strcmp(f->opt.workflow, "local") == 0) {
		f->opt.workflow = NULL;
	}
	if (f->opt.workflow != NULL) {
		return workflow_find(&f->store, f->opt.workflow, f->workflow, &f->err);
	}
	local_workflow(f);
	return 0;
}

int
front_claim(struct front *f)
{
	int rc = take_number(f);

	return rc == 0 ? pack_init(&f->pack, &f->store, f->workflow, f->req.call, &f->err) : rc;
}
