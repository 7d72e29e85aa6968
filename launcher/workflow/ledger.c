/* SPDX-License-Identifier: Apache-2.0 */
/* The file (docs/formats.md, "Workflows"). Run by the front and airlock-cli, as the caller. */
#include "ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/cleanup.h"
#include "../base/crc32.h"
#include "../base/fdio.h"

#define MAGIC "ALKLEDG1"
#define MAGIC_SIZE 8u
#define HEADER_SIZE (MAGIC_SIZE + 4u) /* and the CRC-32 of all behind it */
#define FILE_MAX 1024u

const char *const workflow_state_words[WORKFLOW__COUNT] = {
#define WORKFLOW_STATE(id, word, meaning) [WORKFLOW_##id] = (word),
#define WORKFLOW_MOVE(from, what, to)
#define CALL_STATE(id, word, meaning)
#define CALL_MOVE(from, what, to)
#include "states.def"
#undef WORKFLOW_STATE
#undef WORKFLOW_MOVE
#undef CALL_STATE
#undef CALL_MOVE
};

const char *const budget_words[BUDGET__COUNT] = {
#define BUDGET(id, word, unit, what) [BUDGET_##id] = (word),
#include "budget.def"
#undef BUDGET
};

const enum budget_unit budget_units[BUDGET__COUNT] = {
#define BUDGET(id, word, unit, what) [BUDGET_##id] = BUDGET_UNIT_##unit,
#include "budget.def"
#undef BUDGET
};

/* What no sync made durable is only as old as the boot that wrote it. */
static int
read_boot_id(uint8_t ret[LEDGER_BOOT_SIZE])
{
	char text[UUID_TEXT_SIZE] = "";
	auto_fd fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || pread(fd, text, sizeof(text) - 1, 0) != (ssize_t)sizeof(text) - 1) {
		return fd < 0 ? -errno : -EIO;
	}
	return text_uuid_parse(text, ret);
}

static void
put_amounts(struct buf *b, const uint64_t amounts[BUDGET__COUNT])
{
	for (enum budget_id i = 0; i < BUDGET__COUNT; i++) {
		buf_u64(b, amounts[i]);
	}
}

static int
encode(const struct ledger_file *f, struct buf *b)
{
	const struct ledger *l = &f->l;

	buf_put(b, MAGIC, MAGIC_SIZE);
	buf_u32(b, 0);
	buf_put(b, f->boot, sizeof(f->boot));
	buf_u32(b, l->state);
	buf_u64(b, l->since_ms);
	buf_u64(b, l->deadline_ms);
	buf_u32(b, BUDGET__COUNT);
	put_amounts(b, l->limit);
	put_amounts(b, l->used);
	put_amounts(b, l->reserved);
	buf_u32(b, l->guard);
	buf_u32(b, l->equal);
	buf_u32(b, l->denied);
	buf_put(b, l->last_request, SHA256_SIZE);
	buf_u32(b, l->step);
	buf_put(b, l->name, sizeof(l->name));
	buf_put(b, l->reason, sizeof(l->reason));
	if (buf_error(b) == 0) {
		uint32_t crc = crc32_update(0, b->data + HEADER_SIZE, b->len - HEADER_SIZE);

		for (unsigned int i = 0; i < 4; i++) {
			b->data[MAGIC_SIZE + i] = (uint8_t)(crc >> (8 * i));
		}
	}
	return buf_error(b);
}

static void
get_amounts(struct rd *r, uint64_t ret[BUDGET__COUNT])
{
	for (enum budget_id i = 0; i < BUDGET__COUNT; i++) {
		ret[i] = rd_u64(r);
	}
}

static void
get_text(struct rd *r, char *ret, size_t size)
{
	const uint8_t *bytes = rd_bytes(r, size);

	if (bytes == NULL || bytes[size - 1] != '\0') {
		r->bad = true;
		return;
	}
	memcpy(ret, bytes, size);
}

static bool
has_good_crc(const uint8_t *data, size_t len)
{
	struct rd r = { .p = data + MAGIC_SIZE, .left = 4 };

	return len > HEADER_SIZE && memcmp(data, MAGIC, MAGIC_SIZE) == 0 &&
	       rd_u32(&r) == crc32_update(0, data + HEADER_SIZE, len - HEADER_SIZE);
}

static bool
decode(const uint8_t *data, size_t len, struct ledger_file *ret)
{
	struct rd r = { .p = data + HEADER_SIZE, .left = len - HEADER_SIZE };
	const uint8_t *bytes;
	struct ledger l = { 0 };

	bytes = rd_bytes(&r, sizeof(ret->boot));
	if (bytes == NULL || memcmp(bytes, ret->boot, sizeof(ret->boot)) != 0) {
		return false;
	}
	l.state = (enum workflow_state)rd_u32(&r);
	l.since_ms = rd_u64(&r);
	l.deadline_ms = rd_u64(&r);
	r.bad = r.bad || rd_u32(&r) != BUDGET__COUNT;
	get_amounts(&r, l.limit);
	get_amounts(&r, l.used);
	get_amounts(&r, l.reserved);
	l.guard = rd_u32(&r);
	l.equal = rd_u32(&r);
	l.denied = rd_u32(&r);
	bytes = rd_bytes(&r, SHA256_SIZE);
	if (bytes != NULL) {
		memcpy(l.last_request, bytes, SHA256_SIZE);
	}
	l.step = rd_u32(&r);
	get_text(&r, l.name, sizeof(l.name));
	get_text(&r, l.reason, sizeof(l.reason));
	if (r.bad || r.left != 0 || l.state >= WORKFLOW__COUNT) {
		return false;
	}
	ret->l = l;
	return true;
}

/*
 * Whoever numbers a call appends it there: a workflow that has had none, and was made with nothing,
 * has nothing to lose.
 */
static bool
has_history(int workflow_fd)
{
	struct stat st;

	return (fstatat(workflow_fd, "calls", &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size > 0) ||
	       faccessat(workflow_fd, WORKFLOW_DEFINITION, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int
take(const uint8_t *data, size_t len, struct ledger_file *ret, struct err *err)
{
	if (!has_good_crc(data, len) || !decode(data, len, ret)) {
		return err_set(err, -ESTALE,
			       "the workflow's ledger is damaged, or older than this host's last "
			       "start: `airlock recover` makes it again");
	}
	return 0;
}

static int
open_locked(int workflow_fd, int lock, int wake_fd, struct ledger_file *ret, struct err *err)
{
	uint8_t data[FILE_MAX];
	ssize_t len;
	int rc;

	*ret = (struct ledger_file)LEDGER_FILE_INIT;
	ret->fd = openat(workflow_fd, LEDGER_FILE, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (ret->fd < 0) {
		return err_sys(err, -errno, "open the workflow's ledger");
	}
	rc = wake_fd < 0 ? store_lock(ret->fd, lock) : store_lock_until(ret->fd, lock, 0, wake_fd);
	/* one that cannot be had says nothing of the ledger, which may be good */
	rc = rc < 0 ? rc : read_boot_id(ret->boot);
	len = rc < 0 ? rc : pread(ret->fd, data, sizeof(data), 0);
	if (len < 0) {
		rc = rc < 0 ? rc : -errno;
		ledger_close(ret);
		return err_sys(err, rc, "read the workflow's ledger");
	}
	if (len == 0 && !has_history(workflow_fd)) {
		memcpy(ret->l.name, "local", sizeof("local"));
		return 0;
	}
	return take(data, (size_t)len, ret, err);
}

int
ledger_open(int workflow_fd, struct ledger_file *ret, struct err *err)
{
	return open_locked(workflow_fd, LOCK_EX, -1, ret, err);
}

int
ledger_try_open(int workflow_fd, struct ledger_file *ret, struct err *err)
{
	return open_locked(workflow_fd, LOCK_EX | LOCK_NB, -1, ret, err);
}

int
ledger_open_until(int workflow_fd, int wake_fd, struct ledger_file *ret, struct err *err)
{
	return open_locked(workflow_fd, LOCK_EX, wake_fd, ret, err);
}

int
ledger_read(int workflow_fd, struct ledger *ret, struct err *err)
{
	uint8_t data[FILE_MAX];
	auto_ledger f = LEDGER_FILE_INIT;
	ssize_t len;
	int rc;

	f.fd = openat(workflow_fd, LEDGER_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	rc = f.fd < 0 ? -errno : store_lock(f.fd, LOCK_SH);
	rc = rc < 0 ? rc : read_boot_id(f.boot);
	len = rc < 0 ? rc : pread(f.fd, data, sizeof(data), 0);
	if (len < 0) {
		return err_sys(err, rc < 0 ? rc : -errno, "read the workflow's ledger");
	}
	rc = take(data, (size_t)len, &f, err);
	if (rc == 0) {
		*ret = f.l;
	}
	return rc;
}

int
ledger_distrust(struct ledger_file *f, struct err *err)
{
	/* in place: on a full disk there may be no room for what was given up */
	ssize_t n = pwrite(f->fd, "", 1, 0);

	return n == 1 ? 0 : err_sys(err, n < 0 ? -errno : -EIO, "write the workflow's ledger");
}

int
ledger_write(struct ledger_file *f, struct err *err)
{
	auto_buf b = BUF_INIT;
	int rc = encode(f, &b);

	rc = rc < 0 ? rc : fdio_rewrite(f->fd, b.data, b.len);
	return rc < 0 ? err_sys(err, rc, "write the workflow's ledger") : 0;
}

void
ledger_close(struct ledger_file *f)
{
	cleanup_fd(&f->fd);
	f->fd = -1;
}
