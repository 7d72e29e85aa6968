/* SPDX-License-Identifier: Apache-2.0 */
/*
 * airlock-credd: one lease. Started by `airlock-cli lease` in its own place, a child of the front;
 * holds the values of one call's credentials, and nothing else does. Opens what the lease names,
 * confines itself, hands each value over as a pipe that holds it, and waits for the call's end;
 * until then it signs with the keys that are not handed over. Dies with the front. Not for people:
 * run without a lease it says so.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/err.h"
#include "../base/sha256.h"
#include "../bundle/sealed.h"
#include "../sys/locked.h"
#include "../sys/sys.h"
#include "agent_serve.h"
#include "answer.h"
#include "confine.h"
#include "credd_protocol.h"
#include "hear.h"
#include "lease.h"
#include "owed.h"

struct value {
	const uint8_t *bytes; /* in locked memory */
	size_t len;
	uint8_t fingerprint[LEASE_FINGERPRINT_SIZE];
	char resolver[UUID_TEXT_SIZE]; /* its call; "": none */
};

struct credd {
	struct lease lease;
	struct locked memory, room; /* of the values; of what age or a resolver gives */
	size_t used;		    /* of memory */
	struct value values[LEASE_ITEMS_MAX];
	int fds[LEASE_ITEMS_MAX + 1]; /* the reading ends, and what is for the output scan */
	struct locked shared;
	struct agent agents[LEASE_ITEMS_MAX]; /* of the items that have one, in their order */
	struct agent_door doors[LEASE_ITEMS_MAX];
	size_t agent_count;
};

static int
read_lease(struct lease *ret)
{
	struct stat st;
	void *bytes;
	int rc = sys_memfd_check_sealed(CREDD_FD_LEASE);

	if (rc < 0 || fstat(CREDD_FD_LEASE, &st) < 0 || st.st_size <= 0 ||
	    st.st_size > CREDD_MESSAGE_MAX) {
		return -EBADF;
	}
	bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, CREDD_FD_LEASE, 0);
	close(CREDD_FD_LEASE);
	return bytes == MAP_FAILED ? -errno : lease_decode(bytes, (size_t)st.st_size, ret);
}

/* A file that is the value itself. */
static int
read_plain(int fd, uint8_t *ret, size_t size, size_t *ret_len)
{
	size_t len = 0;
	ssize_t n;

	do {
		n = read(fd, ret + len, size - len);
		len += n > 0 ? (size_t)n : 0;
	} while (n > 0 && len < size);
	*ret_len = len;
	return n < 0 ? -errno : len == 0 ? -ENODATA : len == size ? -EFBIG : 0;
}

/* Before credd is confined: the library reads a file of its own first. */
static int
fingerprint(const struct lease *l, struct value *v)
{
	uint8_t digest[EVP_MAX_MD_SIZE];

	if (HMAC(EVP_sha256(), l->fingerprint_key, SHA256_SIZE, v->bytes, v->len, digest, NULL) ==
	    NULL) {
		return -ENOMEM;
	}
	memcpy(v->fingerprint, digest, LEASE_FINGERPRINT_SIZE);
	return 0;
}

/* What age gives, for this place and no other, into the memory of the values. */
static int
read_sealed(struct credd *c, size_t i, uint8_t *ret, size_t *ret_len, struct err *err)
{
	const struct lease_item *item = &c->lease.items[i];
	const struct sealed_place place = { .bundle = c->lease.bundle,
					    .item = item->item,
					    .version = item->version };
	struct sealed_value value;
	int rc;

	if (lseek(CREDD_FD_IDENTITY, 0, SEEK_SET) < 0) {
		return err_sys(err, -errno, "the identity");
	}
	rc = sealed_open(CREDD_FD_SOURCE + (int)i, CREDD_FD_IDENTITY, &place, &c->room, &value,
			 err);
	if (rc == 0 && value.not_after_ms != 0 && value.not_after_ms <= clock_realtime_ms()) {
		rc = err_set(err, -EKEYEXPIRED, "it has ended (not_after): rotate it");
	}
	if (rc == 0) {
		memcpy(ret, value.data, value.len);
		*ret_len = value.len;
	}
	explicit_bzero(c->room.data, c->room.size);
	return rc;
}

/* The lease ends with what was given, and what is over is none. */
static int
shorten(struct lease_item *item, uint64_t expires_ms, struct err *err)
{
	if (expires_ms != 0 && (item->expires_ms == 0 || expires_ms < item->expires_ms)) {
		item->expires_ms = expires_ms;
	}
	return expires_ms != 0 && expires_ms <= clock_realtime_ms()
		     ? err_set(err, -EKEYEXPIRED, "its resolver's value has ended (expiresAt)")
		     : 0;
}

/*
 * What is owed to the resolver is on disk before anybody else gets the value: from then on it can
 * be paid by whoever finds it.
 */
static int
write_owed(const struct lease_item *item, int fd, const struct answer *a, struct err *err)
{
	int rc = item->is_revocable ? owed_answered(fd, a->handle, a->is_refused) : 0;

	return rc < 0 ? err_sys(err, rc, "write down how it is revoked") : 0;
}

/* What a resolver answers, into the memory of the values. */
static int
read_resolver(struct credd *c, size_t i, uint8_t *ret, size_t *ret_len, struct err *err)
{
	struct lease_item *item = &c->lease.items[i];
	struct answer answer = { .value = NULL };
	struct err refusal = ERR_INIT;
	struct heard heard;
	int rc = hear(CREDD_FD_SOURCE + (int)i, CREDD_FD_RESULT + (int)i, (pid_t)item->pid,
		      c->room.data, CAP_ANSWER, &heard, err);

	close(CREDD_FD_RESULT + (int)i);
	memcpy(c->values[i].resolver, heard.call, sizeof(heard.call));
	if (rc == 0) {
		rc = answer_read(c->room.data, heard.len, item->ask, &answer, err);
		if (rc < 0) {
			err_prefix(err, "call %s", heard.call);
		}
	}
	answer.is_refused = answer.is_refused || heard.has_not_run;
	if (rc == 0 || answer.is_refused) {
		int written = write_owed(item, CREDD_FD_OWED + (int)i, &answer, &refusal);

		if (written < 0 && rc == 0) {
			*err = refusal;
			rc = written;
		}
	}
	rc = rc < 0 ? rc : shorten(item, answer.expires_ms, err);
	if (rc == 0 && answer.value != NULL) {
		memcpy(ret, answer.value, answer.len);
		*ret_len = answer.len;
	}
	explicit_bzero(c->room.data, c->room.size);
	return rc;
}

/* The item's descriptor is the other end of what its socket comes from. */
static int
open_agent(struct credd *c, size_t i, struct err *err)
{
	struct agent *a = &c->agents[c->agent_count];
	int ends[2];
	int rc = ssh_key_open(c->values[i].bytes, c->values[i].len, &a->key, err);

	if (rc < 0) {
		return rc;
	}
	a->comment = c->lease.items[i].item;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
		return err_sys(err, -errno, "its agent");
	}
	c->doors[c->agent_count++] = (struct agent_door){ .fd = ends[0], .agent = a };
	c->fds[i] = ends[1];
	return 0;
}

static int
open_value(struct credd *c, size_t i, struct err *err)
{
	const struct lease_item *item = &c->lease.items[i];
	uint8_t *at = c->memory.data + c->used;
	size_t len = 0;
	int fd = CREDD_FD_SOURCE + (int)i;
	int rc;

	if (item->is_sealed) {
		rc = read_sealed(c, i, at, &len, err);
	} else if (item->ask[0] != '\0') {
		rc = read_resolver(c, i, at, &len, err);
	} else {
		rc = read_plain(fd, at, PLAN_CREDENTIAL_SIZE_MAX + 1, &len);
		rc = rc < 0 ? err_sys(err, rc, "read its value") : 0;
	}
	if (rc == 0 && item->delivery == DELIVERY_ENV && memchr(at, '\0', len) != NULL) {
		rc = err_set(err, -EINVAL,
			     "it has a NUL byte in it, and is delivered as a variable");
	}
	close(fd);
	c->values[i].bytes = at;
	c->values[i].len = len;
	c->used += len;
	rc = rc < 0 ? rc : fingerprint(&c->lease, &c->values[i]);
	if (rc == 0 && item->delivery == DELIVERY_SSH_AGENT) {
		rc = open_agent(c, i, err);
	}
	if (rc < 0) {
		err_prefix(err, "%s of bundle %s", item->item, c->lease.bundle);
	}
	return rc;
}

/* For the output scan, which is the front's: it wipes this once it has what it needs. */
static int
share(struct credd *c, struct err *err)
{
	size_t at = 0;
	int rc = locked_share(&c->shared, c->used + c->lease.count * sizeof(uint32_t),
			      &c->fds[c->lease.count]);

	for (size_t i = 0; rc == 0 && i < c->lease.count; i++) {
		const uint32_t len = (uint32_t)c->values[i].len;

		memcpy(c->shared.data + at, &len, sizeof(len));
		memcpy(c->shared.data + at + sizeof(len), c->values[i].bytes, len);
		at += sizeof(len) + len;
	}
	return rc < 0 ? err_sys(err, rc, "lock memory for the output scan (ulimit -l)") : 0;
}

/* All of it fits: the writer's end can be closed, and nobody waits. */
static int
fill_pipe(const struct value *v, int *ret_fd)
{
	int ends[2];
	ssize_t n;

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) {
		return -errno;
	}
	n = write(ends[1], v->bytes, v->len);
	close(ends[1]);
	/* who reads it waits for no one either, and a tool expects no EAGAIN */
	if (n != (ssize_t)v->len || fcntl(ends[0], F_SETFL, 0) < 0) {
		int code = n < 0 ? -errno : -EAGAIN;

		close(ends[0]);
		return code;
	}
	*ret_fd = ends[0];
	return 0;
}

static int
hand_over(struct credd *c, struct err *err)
{
	auto_buf message = BUF_INIT;
	int rc = 0;

	buf_u8(&message, CREDD_VALUES);
	for (size_t i = 0; rc == 0 && i < c->lease.count; i++) {
		buf_put(&message, c->values[i].fingerprint, LEASE_FINGERPRINT_SIZE);
		buf_u64(&message, c->lease.items[i].expires_ms);
		buf_str(&message, c->values[i].resolver);
		if (c->fds[i] < 0) {
			rc = fill_pipe(&c->values[i], &c->fds[i]);
		}
	}
	for (size_t i = 0; i < c->agent_count; i++) {
		const struct buf *blob = &c->agents[i].key.blob;
		uint8_t digest[SHA256_SIZE];

		sha256_of(blob->data, blob->len, digest);
		buf_put(&message, digest, sizeof(digest));
	}
	rc = rc < 0 ? rc : buf_error(&message);
	rc = rc < 0 ? rc
		    : sys_send_message(CREDD_FD_SOCKET, message.data, message.len, c->fds,
				       c->lease.count + 1);
	for (size_t i = 0; i <= c->lease.count; i++) {
		cleanup_fd(&c->fds[i]);
		c->fds[i] = -1;
	}
	if (rc == -EAGAIN) {
		return err_set(err, rc,
			       "the user's pipes have no room left for a value "
			       "(fs.pipe-user-pages-soft)");
	}
	return rc < 0 ? err_sys(err, rc, "hand over the values") : 0;
}

/* The call's end: said, or the front's own. What is left unread would take our answer with it. */
static void
serve_until_end(struct credd *c)
{
	uint8_t message[8];
	int fds[SYS_FDS_MAX];
	pid_t pid;

	agent_serve(CREDD_FD_SOCKET, c->doors, c->agent_count);
	ignore_err((int)sys_recv_message(CREDD_FD_SOCKET, message, sizeof(message), fds, &pid),
		   "whatever it says, it is the end");
}

/* Of what the lease needs: age's payload, or a resolver's answer. */
static size_t
room_size(const struct lease *l)
{
	for (size_t i = 0; i < l->count; i++) {
		if (l->items[i].ask[0] != '\0') {
			return ANSWER_ROOM > SEALED_ROOM ? ANSWER_ROOM : SEALED_ROOM;
		}
	}
	return SEALED_ROOM;
}

/* Nothing is left that could sign, or be read. */
static void
wipe(struct credd *c)
{
	for (size_t i = 0; i < c->agent_count; i++) {
		ssh_key_close(&c->agents[i].key);
	}
	locked_finish(&c->memory);
	locked_finish(&c->shared);
}

static void
say_revoked(const struct credd *c)
{
	auto_buf message = BUF_INIT;

	buf_u8(&message, CREDD_REVOKED);
	for (size_t i = 0; i < c->agent_count; i++) {
		uses_encode(&c->agents[i].uses, &message);
	}
	ignore_err(sys_send_message(CREDD_FD_SOCKET, message.data, message.len, NULL, 0),
		   "then the front is gone");
}

static int
serve(struct credd *c, struct err *err)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	int rc = confine_birth(err);

	if (rc == 0) {
		rc = locked_init(&c->memory, (c->lease.count + 1) * (PLAN_CREDENTIAL_SIZE_MAX + 1));
		rc = rc < 0 ? rc : locked_init(&c->room, room_size(&c->lease));
		rc = rc < 0 ? err_sys(err, rc, "lock memory for the values (ulimit -l)") : 0;
	}
	for (size_t i = 0; rc == 0 && i < c->lease.count; i++) {
		rc = open_value(c, i, err);
	}
	close(CREDD_FD_IDENTITY);
	locked_finish(&c->room);
	rc = rc < 0 ? rc : share(c, err);
	sigaction(SIGPIPE, &ignore, NULL); /* an agent's client may be gone */
	rc = rc < 0 ? rc : confine_identity(c->lease.uid, err);
	rc = rc < 0 ? rc : confine_credd(err);
	return rc < 0 ? rc : hand_over(c, err);
}

int
main(int argc, char **argv)
{
	struct credd c = { .used = 0 };
	struct err err = ERR_INIT;

	if (argc > 1 && strcmp(argv[1], "--version") == 0) {
		dprintf(STDOUT_FILENO, "airlock-credd %s\n", AIRLOCK_VERSION);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(c.fds); i++) {
		c.fds[i] = -1;
	}
	if (read_lease(&c.lease) < 0) {
		dprintf(STDERR_FILENO,
			"airlock-credd: there is no lease at descriptor %d; this "
			"program is started by airlock, see airlock(1)\n",
			CREDD_FD_LEASE);
		return 125;
	}
	if (serve(&c, &err) < 0) {
		wipe(&c);
		credd_say(CREDD_FAILED, err.text);
		return 125;
	}
	serve_until_end(&c);
	wipe(&c);
	say_revoked(&c);
	return 0;
}
