/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the front: the end of a lease, and what the record says of it. First the values go, here
 * and in airlock-credd; then resolvers are asked to end what they gave. Those that do not are asked
 * again by later calls, and by `airlock recover`.
 */
#include <errno.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/json.h"
#include "../base/text.h"
#include "../credd/credd_protocol.h"
#include "../sys/sys.h"
#include "front_lease.h"

#define REVOKE_MS 1000

/* Whether a resolver may have given something that it can end. */
static bool
is_owed(const struct lease_hold *h)
{
	for (size_t i = 0; i < h->lease.count; i++) {
		if (h->lease.items[i].is_revocable) {
			return true;
		}
	}
	return false;
}

/* "revoked gh": the word's end for that item; else it is as it was. */
static void
take_end(struct lease_hold *h, const char *line, size_t len)
{
	for (size_t i = 0; i < h->lease.count; i++) {
		const char *item = h->lease.items[i].item, *space = memchr(line, ' ', len);
		size_t word = space != NULL ? (size_t)(space - line) : 0;

		if (word == 0 || strlen(item) != len - word - 1 ||
		    memcmp(space + 1, item, len - word - 1) != 0) {
			continue;
		}
		h->upstream[i] = strncmp(line, "revoked", word) == 0 ? UPSTREAM_REVOKED
			       : strncmp(line, "none", word) == 0    ? UPSTREAM_NONE
								     : UPSTREAM_PENDING;
	}
}

/*
 * It ends in time by itself (cmd_revoke_leases.c), and at once where a signal asks for the end: who
 * sends one may not wait that long, and the outcome is not to be lost for it. It goes on by itself
 * then. The signal stays to be read, by whatever else would take its time. What is not told of is
 * pending.
 */
static void
revoke_upstream(struct front *f, struct lease_hold *h)
{
	const char *argv[] = { "airlock-cli", "revoke-leases", f->req.call_text, NULL };
	struct err before = f->err;
	auto_buf said = BUF_INIT;
	const char *p, *end;

	if (!is_owed(h)) {
		return;
	}
	for (size_t i = 0; i < h->lease.count; i++) {
		h->upstream[i] = h->lease.items[i].is_revocable ? UPSTREAM_PENDING : UPSTREAM_NONE;
	}
	ignore_err(front_read_cli_until(f, argv, f->end_fd, &said), "then it is pending");
	f->err = before;
	for (p = buf_text(&said); (end = strchr(p, '\n')) != NULL; p = end + 1) {
		take_end(h, p, (size_t)(end - p));
	}
	if (strchr(p, ' ') != NULL) {
		take_end(h, p, strlen(p));
	}
}

/* What airlock-credd has to say of the end: that it is, and what its agents did. */
static void
hear_end(struct lease_hold *h)
{
	uint8_t answer[CREDD_MESSAGE_MAX];
	ssize_t n = recv(h->socket, answer, sizeof(answer), MSG_DONTWAIT);
	struct rd r = { .p = answer, .left = n > 0 ? (size_t)n : 0 };
	int rc = rd_u8(&r) == CREDD_REVOKED ? 0 : -EPROTO;

	for (size_t i = 0; rc == 0 && i < h->lease.count; i++) {
		if (h->lease.items[i].delivery == DELIVERY_SSH_AGENT) {
			rc = uses_decode(&r, &h->uses[i]);
		}
	}
	h->is_revoked = rc == 0 && r.left == 0;
}

void
front_lease_end(struct front *f)
{
	const uint8_t revoke = CREDD_REVOKE;
	const uint64_t end_ns = clock_monotonic_ns();
	struct lease_hold *h = f->lease;
	struct pollfd socket;

	if (h == NULL || h->socket < 0) {
		return;
	}
	front_lease_sent(f);
	socket = (struct pollfd){ .fd = h->socket, .events = POLLIN };
	if (h->has_values && sys_send_message(h->socket, &revoke, 1, NULL, 0) == 0 &&
	    poll(&socket, 1, REVOKE_MS) > 0) {
		hear_end(h);
		front_redact_uses(f);
	}
	h->revoked_us = (clock_monotonic_ns() - end_ns) / 1000;
	cleanup_fd(&h->socket);
	h->socket = -1;
	if (h->pid > 0) {
		/* it has said what it had to, and is not waited for longer than that */
		ignore_err(kill(h->pid, SIGKILL), "it may be dead already");
		ignore_err(sys_wait(h->pid, NULL), "what it did is known");
	}
	cleanup_fd(&h->uid_lock_fd);
	h->uid_lock_fd = -1;
	revoke_upstream(f, h);
}

/* In the child behind the answer: what earlier calls left is tried again, and nobody waits. */
void
front_lease_sweep(struct front *f)
{
	const char *argv[] = { "airlock-cli", "revoke-leases", NULL };
	const int stdio[] = { STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO };

	if (f->opt.serves == NULL && front_serves_left(f) && fork() == 0) {
		if (sys_close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) == 0) {
			front_become_cli(f, argv, stdio);
		}
		_exit(EXIT_AIRLOCK);
	}
}

/* As ssh-keygen -l tells one key from another; null where there is none. */
static void
key_print_json(struct json *j, const uint8_t *digest)
{
	auto_buf text = BUF_INIT;

	if (digest == NULL) {
		json_put_null(j);
		return;
	}
	buf_puts(&text, "SHA256:");
	text_base64(&text, digest, SHA256_SIZE);
	json_bytes(j, buf_text(&text), strcspn(buf_text(&text), "="));
}

static void
item_json(struct json *j, const struct lease_hold *h, size_t i)
{
	static const char *const words[] = {
		[DELIVERY_FILE] = "file",
		[DELIVERY_ENV] = "env",
		[DELIVERY_FD] = "fd",
		[DELIVERY_SSH_AGENT] = "ssh-agent",
	};
	const struct lease_item *item = &h->lease.items[i];

	_Static_assert(ARRAY_LEN(words) == DELIVERY__COUNT, "every delivery has its word");
	json_begin_object(j);
	json_kv_str(j, "access", item->access);
	json_kv_str(j, "bundle", h->lease.bundle);
	json_kv_hex(j, "bundle_digest", h->lease.bundle_digest, SHA256_SIZE);
	json_kv_str(j, "deliver", words[item->delivery]);
	json_kv_known(j, "expires", item->expires_ms != 0, (int64_t)item->expires_ms);
	json_kv_bool(j, "exposed", item->delivery == DELIVERY_ENV);
	json_key(j, "fingerprint");
	if (h->has_values) {
		json_hex(j, h->fingerprints[i], LEASE_FINGERPRINT_SIZE);
	} else {
		json_put_null(j);
	}
	json_kv_str(j, "item", item->item);
	json_kv_str(j, "name", item->name);
	json_key(j, "public_key");
	key_print_json(j, h->has_values && item->delivery == DELIVERY_SSH_AGENT ? h->public_keys[i]
										: NULL);
	json_kv_str(j, "resolver", text_or_null(h->resolvers[i]));
	json_kv_str(j, "source", item->source);
	json_kv_known(j, "version", item->version != 0, item->version);
	json_end(j);
}

void
front_lease_json(struct json *j, const struct front *f)
{
	size_t count = f->lease != NULL ? f->lease->lease.count : 0;

	json_begin_array(j);
	for (size_t i = 0; i < count; i++) {
		item_json(j, f->lease, i);
	}
	json_end(j);
}

static void
uses_json(struct json *j, const struct uses *u, const char *const whats[])
{
	static const char *const words[] = {
		[USE_LOGIN] = "login", [USE_FILE] = "file", [USE_OTHER] = "other"
	};

	_Static_assert(ARRAY_LEN(words) == USE__COUNT, "every use has its word");
	json_begin_array(j);
	for (size_t i = 0; i < u->count; i++) {
		const struct use *row = &u->rows[i];

		json_begin_object(j);
		json_kv_uint(j, "count", row->count);
		json_key(j, "host_key");
		key_print_json(j, row->has_host ? row->host : NULL);
		json_kv_str(j, "kind", words[row->kind]);
		json_key(j, "what");
		if (whats[i] == NULL) { /* there was no memory for it */
			json_put_null(j);
		} else {
			json_bytes(j, whats[i], strlen(whats[i]));
		}
		json_end(j);
	}
	json_end(j);
}

/* What was asked of each key; nobody knows it when airlock-credd did not say. */
static void
agents_json(struct json *j, const struct lease_hold *h)
{
	json_begin_array(j);
	for (size_t i = 0; i < h->lease.count; i++) {
		if (h->lease.items[i].delivery == DELIVERY_SSH_AGENT) {
			json_begin_object(j);
			json_kv_str(j, "item", h->lease.items[i].item);
			json_kv_known(j, "refused", h->is_revoked, (int64_t)h->uses[i].refusals);
			json_kv_known(j, "signatures", h->is_revoked,
				      (int64_t)h->uses[i].signatures);
			json_key(j, "uses");
			uses_json(j, &h->uses[i], h->named_uses[i]);
			json_end(j);
		}
	}
	json_end(j);
}

void
front_lease_outcome_json(struct json *j, const struct front *f)
{
	static const char *const words[] = { [UPSTREAM_NONE] = "none",
					     [UPSTREAM_REVOKED] = "revoked",
					     [UPSTREAM_PENDING] = "pending" };
	const struct lease_hold *h = f->lease;

	_Static_assert(ARRAY_LEN(words) == UPSTREAM__COUNT, "every end has its word");
	if (h == NULL || (!h->has_values && !is_owed(h))) {
		json_put_null(j);
		return;
	}
	json_begin_object(j);
	json_key(j, "agents");
	agents_json(j, h);
	json_kv_bool(j, "revoked", h->is_revoked);
	json_kv_uint(j, "revoked_us", h->revoked_us);
	json_key(j, "upstream");
	json_begin_array(j);
	for (size_t i = 0; i < h->lease.count; i++) {
		json_begin_object(j);
		json_kv_str(j, "item", h->lease.items[i].item);
		json_kv_str(j, "state", words[h->upstream[i]]);
		json_end(j);
	}
	json_end(j);
	json_end(j);
}
