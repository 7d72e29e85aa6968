/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `airlock-cli lease CALL BUNDLE MODE asked|listed UID [HANDLE=N...] ITEM...`, started by the front
 * with its socket as descriptor 0: which of these credentials the call is given. The items are the
 * profile's; asked for, each must be given, else what the bundle or the mode does not give is left
 * out. Says what it has decided (credd_protocol.h), starts the resolvers of its items and becomes
 * airlock-credd, which opens the values. Runs as the caller, and reads no value.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/arena.h"
#include "../base/clock.h"
#include "../base/fdio.h"
#include "../base/trusted.h"
#include "../base/units.h"
#include "../bundle/bundle_identity.h"
#include "../credd/answer.h"
#include "../credd/credd_protocol.h"
#include "../credd/lease.h"
#include "../plan/request.h"
#include "../sys/sys.h"
#include "cmd_profile.h"
#include "commands.h"
#include "cmd_creds.h"
#include "cmd_lease_state.h"
#include "cmd_resolver.h"
#include "view_state.h"

#define FIRST 6 /* word of the handles and items */

struct leasing {
	struct arena arena;
	struct creds c;
	struct lease lease;
	int sources[LEASE_ITEMS_MAX];
	int results[LEASE_ITEMS_MAX], owed[LEASE_ITEMS_MAX]; /* of resolvers */
	const char *call;
	uint8_t fingerprint_key[SHA256_SIZE];
	bool is_observed; /* the call's mode */
	bool is_asked;
	char **handles; /* "NAME=N", handle_count of them */
	size_t handle_count;
};

static const struct {
	bool is_given;
	enum plan_delivery as;
} deliveries[BUNDLE_DELIVER__COUNT] = {
	[BUNDLE_DELIVER_FILE] = { true, DELIVERY_FILE },
	[BUNDLE_DELIVER_ENV] = { true, DELIVERY_ENV },
	[BUNDLE_DELIVER_FD] = { true, DELIVERY_FD },
	[BUNDLE_DELIVER_SSH_AGENT] = { true, DELIVERY_SSH_AGENT },
};

/* Why the item is not for this call; NULL: it is. */
static const char *
not_for(struct leasing *l, const struct bundle_item *item)
{
	if (item == NULL) {
		return arena_printf(&l->arena, "bundle %s has no such item", l->c.at.bundle.name);
	}
	return l->is_observed && item->access == BUNDLE_WRITE
		     ? "the call only observes, and its access is write"
		     : NULL;
}

/* A descriptor that the caller has given; it is used once. */
static int
take_handle(struct leasing *l, const struct bundle_item *item, int *ret_fd)
{
	size_t len = strlen(item->handle);

	for (size_t i = 0; i < l->handle_count; i++) {
		const char *given = l->handles[i];

		if (strncmp(given, item->handle, len) != 0 || given[len] != '=') {
			continue;
		}
		*ret_fd = (int)strtol(given + len + 1, NULL, 10);
		for (size_t k = 0; k < l->lease.count; k++) {
			if (l->sources[k] == *ret_fd) {
				return err_set(&l->c.err, -EBUSY,
					       "credentials %s and %s of bundle %s come from one "
					       "descriptor, which has one value",
					       l->lease.items[k].item, item->name,
					       l->c.at.bundle.name);
			}
		}
		return 0;
	}
	return err_set(&l->c.err, -ENOENT,
		       "credential %s of bundle %s comes from a descriptor of the caller: airlock "
		       "run --credential-fd %s=N",
		       item->name, l->c.at.bundle.name, item->handle);
}

/* systemd.exec(5), "CREDENTIALS": of the service that airlock is started by. */
static int
open_systemd(struct leasing *l, const struct bundle_item *item, int *ret_fd)
{
	const char *dir = getenv(CREDENTIALS_VARIABLE);
	auto_free char *path = NULL;
	auto_fd fd = -1;
	int rc;

	if (dir == NULL || dir[0] != '/') {
		return err_set(&l->c.err, -ENOENT,
			       "credential %s of bundle %s is systemd's, and there is no "
			       "$CREDENTIALS_DIRECTORY: LoadCredential= of the service gives it",
			       item->name, l->c.at.bundle.name);
	}
	if (asprintf(&path, "%s/%s", dir, item->credential) < 0) {
		return -ENOMEM;
	}
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	rc = fd < 0 ? err_sys(&l->c.err, -errno, "%s", path) : trusted_private(fd, path, &l->c.err);
	*ret_fd = rc == 0 ? take_fd(&fd) : -1;
	return rc;
}

static int
open_source(struct leasing *l, const struct bundle_item *item, int *ret_fd)
{
	if (item->source == BUNDLE_SOURCE_FD) {
		return take_handle(l, item, ret_fd);
	}
	if (item->source == BUNDLE_SOURCE_EXEC) {
		/* it is asked when all else is decided */
		return bundle_check_command(&l->c.at, item, &l->c.err);
	}
	return item->source == BUNDLE_SOURCE_SYSTEMD
		     ? open_systemd(l, item, ret_fd)
		     : bundle_open_item(&l->c.at, item, ret_fd, &l->c.err);
}

/* What is the bundle's to say, and no call can do without. */
static int
check(struct leasing *l, const struct bundle_item *item, uint64_t now_ms)
{
	const char *later = bundle_item_later(item), *bundle = l->c.at.bundle.name;

	if (item->revoked) {
		return err_set(&l->c.err, -EACCES, "credential %s of bundle %s is revoked",
			       item->name, bundle);
	}
	if (item->not_after_ms != 0 && item->not_after_ms <= now_ms) {
		return err_set(&l->c.err, -EACCES,
			       "credential %s of bundle %s has ended (not_after): rotate it",
			       item->name, bundle);
	}
	if (later != NULL || !deliveries[item->deliver].is_given) {
		return err_set(&l->c.err, -ENOTSUP, "credential %s of bundle %s: %s", item->name,
			       bundle, later != NULL ? later : "it cannot be delivered so");
	}
	return 0;
}

static uint64_t
expiry(const struct bundle_item *item, uint64_t now_ms)
{
	uint64_t ttl = item->ttl_ms != 0 ? now_ms + item->ttl_ms : UINT64_MAX;
	uint64_t end = item->not_after_ms != 0 ? item->not_after_ms : UINT64_MAX;
	uint64_t first = ttl < end ? ttl : end;

	return first == UINT64_MAX ? 0 : first;
}

static int
add(struct leasing *l, const char *name)
{
	const struct bundle_item *item = bundle_item(&l->c.at.bundle, name);
	const char *why = not_for(l, item);
	const uint64_t now_ms = clock_realtime_ms();
	size_t n = l->lease.count;
	int rc;

	for (size_t i = 0; item != NULL && i < n; i++) {
		if (l->lease.items[i].item == item->name) {
			return 0; /* asked for twice */
		}
	}
	if (why != NULL && !l->is_asked) {
		l->lease.left_out[l->lease.left_out_count++] =
			arena_printf(&l->arena, "credential %s is not given: %s", name, why);
		return 0;
	}
	if (why != NULL) {
		return err_set(&l->c.err, -EACCES, "--grant %s: %s", name, why);
	}
	rc = check(l, item, now_ms);
	rc = rc < 0 ? rc : open_source(l, item, &l->sources[n]);
	if (rc < 0) {
		return rc;
	}
	l->lease.items[n] = (struct lease_item){
		.item = item->name,
		.source = bundle_source_word(item->source),
		.access = bundle_access_word(item->access),
		.name = item->deliver_name,
		.delivery = deliveries[item->deliver].as,
		.is_sealed = item->source == BUNDLE_SOURCE_SEALED,
		.version = (uint32_t)item->version,
		.expires_ms = expiry(item, now_ms),
		.ask = item->id,
		.is_revocable = item->revocable,
	};
	l->lease.count++;
	return 0;
}

/* Last of all: what is refused is no use. */
static int
count_uses(struct leasing *l)
{
	const char *bundle = l->c.at.bundle.name;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < l->lease.count; i++) {
		const struct bundle_item *item =
			bundle_item(&l->c.at.bundle, l->lease.items[i].item);

		rc = lease_state_use(bundle, item->name, item->max_uses, &l->c.err);
	}
	return rc;
}

/* An agent has both: a variable, and a file of that name. */
static bool
is_one_place(const struct lease_item *a, const struct lease_item *b)
{
	return strcmp(a->name, b->name) == 0 &&
	       (a->delivery == DELIVERY_SSH_AGENT || b->delivery == DELIVERY_SSH_AGENT ||
		(a->delivery == DELIVERY_FILE) == (b->delivery == DELIVERY_FILE));
}

/* Two of them in one place would be one of them. */
static int
check_places(struct leasing *l)
{
	const struct lease_item *items = l->lease.items;

	for (size_t i = 0; i < l->lease.count; i++) {
		for (size_t k = 0; k < i; k++) {
			if (is_one_place(&items[i], &items[k])) {
				return err_set(&l->c.err, -EEXIST,
					       "credentials %s and %s of bundle %s have the same "
					       "name inside, %s: give one another name",
					       items[k].item, items[i].item, l->c.at.bundle.name,
					       items[i].name);
			}
		}
	}
	return 0;
}

static int
decide(struct leasing *l, const char *bundle, char **items, size_t count)
{
	static const uint8_t none[SHA256_SIZE];
	int rc = bundle_open_read(&l->c.req, bundle, &l->c.at, &l->c.report, &l->c.err);

	if (rc == 0 && count > LEASE_ITEMS_MAX) {
		rc = err_set(&l->c.err, -E2BIG, "a call is given %d credentials at most",
			     LEASE_ITEMS_MAX);
	}
	l->lease.bundle = bundle;
	l->lease.bundle_digest = l->c.at.bundle.digest;
	l->lease.fingerprint_key = none;
	for (size_t i = 0; rc == 0 && i < count; i++) {
		rc = add(l, items[i]);
	}
	rc = rc < 0 ? rc : check_places(l);
	rc = rc < 0 ? rc : lease_state_key(l->fingerprint_key, &l->c.err);
	return rc < 0 ? rc : count_uses(l);
}

/* What is owed is written down before there is anything to owe. */
static int
ask_resolver(struct leasing *l, const struct store *s, size_t i)
{
	struct lease_item *leased = &l->lease.items[i];
	const struct bundle_item *item = bundle_item(&l->c.at.bundle, leased->item);
	const struct owed o = { .bundle = l->lease.bundle,
				.item = item->name,
				.call = l->call,
				.provider = item->provider,
				.id = item->id,
				.profile = item->profile,
				.command = item->command.items,
				.command_count = item->command.count };
	auto_buf request = BUF_INIT, name = BUF_INIT;
	struct resolver r = RESOLVER_INIT;
	int rc;

	owed_name(o.call, o.item, &name);
	answer_ask(o.provider, o.id, item->revocable ? buf_text(&name) : NULL, &request);
	rc = buf_error(&name) < 0 || buf_error(&request) < 0
		   ? err_set(&l->c.err, -ENOMEM, "out of memory")
		   : 0;
	if (rc == 0 && item->revocable) {
		rc = resolver_owe(s, &o, &l->owed[i], &l->c.err);
	}
	rc = rc < 0 ? rc : resolver_start(s, &o, &request, l->owed[i], &r, &l->c.err);
	l->sources[i] = r.out_fd;
	l->results[i] = r.result_fd;
	leased->pid = (uint32_t)r.pid;
	return rc;
}

/* All of them at once: airlock-credd hears them one after the other. */
static int
ask_resolvers(struct leasing *l)
{
	auto_store store = STORE_INIT;
	auto_free char *path = NULL;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < l->lease.count; i++) {
		if (l->lease.items[i].ask[0] == '\0') {
			continue;
		}
		if (path == NULL) {
			rc = reading_path(&path, &l->c.err);
			rc = rc < 0 ? rc : store_open_read(path, &store, &l->c.err);
		}
		rc = rc < 0 ? rc : ask_resolver(l, &store, i);
	}
	return rc;
}

static int
say(struct leasing *l)
{
	auto_buf message = BUF_INIT;
	int rc;

	buf_u8(&message, CREDD_LEASED);
	lease_encode(&l->lease, &message);
	rc = buf_error(&message);
	rc = rc < 0 ? rc
	   : message.len > CREDD_MESSAGE_MAX
		   ? -E2BIG
		   : sys_send_message(CREDD_FD_SOCKET, message.data, message.len, NULL, 0);
	return rc < 0 ? err_sys(&l->c.err, rc, "tell the front") : 0;
}

/* Each descriptor where credd_protocol.h has it; all others are closed by the exec. -1: none. */
static int
place(int fd, int at)
{
	return fd >= 0 && dup2(fd, at) < 0 ? -errno : 0;
}

/* Out of the way of the numbers that they are given. */
static int
lift(int *fd)
{
	int high = *fd < 0 ? 0 : fcntl(*fd, F_DUPFD_CLOEXEC, CREDD_FD__END);

	if (high < 0) {
		return -errno;
	}
	if (*fd >= 0) {
		close(*fd);
		*fd = high;
	}
	return 0;
}

/* airlock-credd, which lies beside this program. */
static int
open_program(void)
{
	auto_places places = { .programs = NULL };
	auto_free char *path = NULL;
	struct err none = ERR_INIT;
	int fd;

	if (places_find(&places, &none) < 0 ||
	    asprintf(&path, "%s/airlock-credd", places.programs) < 0) {
		return -ENOENT;
	}
	fd = open(path, O_PATH | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Where nothing is sealed, nothing is needed. */
static int
open_identity(struct leasing *l, int *ret_fd)
{
	auto_buf path = BUF_INIT;

	for (size_t i = 0; i < l->lease.count; i++) {
		if (l->lease.items[i].is_sealed) {
			return bundle_identity_open(&l->c.req, getenv(CREDENTIALS_VARIABLE), ret_fd,
						    &path, &l->c.err);
		}
	}
	*ret_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return *ret_fd < 0 ? -errno : 0;
}

static int
become_credd(struct leasing *l)
{
	const char *argv[] = { "airlock-credd", NULL }, *envp[] = { NULL };
	auto_buf bytes = BUF_INIT;
	auto_fd memfd = -1, identity = -1, program = -1;
	int rc;

	l->lease.fingerprint_key = l->fingerprint_key;
	lease_encode(&l->lease, &bytes);
	memfd = buf_error(&bytes) < 0 ? -ENOMEM : sys_memfd_sealed("lease", bytes.data, bytes.len);
	program = open_program();
	rc = open_identity(l, &identity);
	if (rc < 0 || memfd < 0 || program < 0) {
		return rc < 0 ? rc : memfd < 0 ? memfd : program;
	}
	rc = lift(&memfd);
	rc = rc < 0 ? rc : lift(&identity);
	rc = rc < 0 ? rc : lift(&program);
	for (size_t i = 0; rc == 0 && i < l->lease.count; i++) {
		rc = lift(&l->sources[i]);
		rc = rc < 0 ? rc : lift(&l->results[i]);
		rc = rc < 0 ? rc : lift(&l->owed[i]);
	}
	/* also what the caller has given, and no item wants */
	rc = rc < 0 ? rc : sys_close_range(CREDD_FD_LEASE, ~0u, CLOSE_RANGE_CLOEXEC);
	rc = rc < 0 ? rc : place(memfd, CREDD_FD_LEASE);
	rc = rc < 0 ? rc : place(identity, CREDD_FD_IDENTITY);
	for (size_t i = 0; rc == 0 && i < l->lease.count; i++) {
		rc = place(l->sources[i], CREDD_FD_SOURCE + (int)i);
		rc = rc < 0 ? rc : place(l->results[i], CREDD_FD_RESULT + (int)i);
		rc = rc < 0 ? rc : place(l->owed[i], CREDD_FD_OWED + (int)i);
	}
	return rc < 0 ? rc : sys_execveat(program, "", argv, envp, AT_EMPTY_PATH);
}

int
cmd_lease(int argc, char **argv)
{
	struct leasing l = { .lease = { .count = 0 } };
	enum credd_message failure = CREDD_REFUSED;
	uint64_t uid;
	int rc;

	creds_init(&l.c);
	for (size_t i = 0; i < LEASE_ITEMS_MAX; i++) {
		l.sources[i] = l.results[i] = l.owed[i] = -1;
	}
	if (argc < FIRST || units_count(argv[5], &uid) < 0 || uid > UINT32_MAX) {
		fputs("usage: airlock-cli lease CALL BUNDLE MODE asked|listed UID ITEM...\n",
		      stderr);
		return EXIT_AIRLOCK;
	}
	l.call = argv[1];
	l.lease.uid = (uint32_t)uid;
	l.handles = argv + FIRST;
	while (l.handles[l.handle_count] != NULL &&
	       strchr(l.handles[l.handle_count], '=') != NULL) {
		l.handle_count++;
	}
	l.is_observed = strcmp(argv[3], "observe") == 0;
	l.is_asked = strcmp(argv[4], "asked") == 0;
	rc = creds_harden(&l.c.err);
	rc = rc < 0 ? rc
		    : decide(&l, argv[2], l.handles + l.handle_count,
			     (size_t)argc - FIRST - l.handle_count);
	rc = rc < 0 ? rc : say(&l);
	if (rc == 0 && l.lease.count > 0) {
		failure = CREDD_FAILED;
		rc = ask_resolvers(&l);
		rc = rc < 0 ? rc : become_credd(&l);
	}
	if (rc < 0) {
		if (l.c.err.code == 0) {
			err_sys(&l.c.err, rc, "start airlock-credd");
		}
		credd_say(failure, l.c.err.text);
	}
	creds_finish(&l.c);
	arena_finish(&l.arena);
	return rc < 0 ? EXIT_AIRLOCK : 0;
}
