/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the front: what the call is given of its bundle's credentials. Which items, airlock-cli
 * decides, which reads profile and manifest; the child that it is becomes airlock-credd, which has
 * the values. A lease that is not to be had is a refused call: it has a record, and runs nothing.
 */
#include "front_lease.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/json.h"
#include "../base/units.h"
#include "../credd/credd_protocol.h"
#include "../sys/locked.h"
#include "../sys/sys.h"
#include "../workflow/workflow.h"

#define ANSWER_MS 15000 /* a source may be slow; one that hangs is no source */

static bool
is_listed(const struct strings *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->items[i], name) == 0) {
			return true;
		}
	}
	return false;
}

/* The bundle of its workflow, or of the caller's for a call of none. NULL: there is none. */
static int
find_bundle(struct front *f, const char **ret)
{
	struct workflow_definition d;
	int rc;

	*ret = f->opt.bundle;
	if (f->opt.workflow == NULL) {
		return 0;
	}
	rc = workflow_definition_read(f->workflow_fd, &d, &f->err);
	if (rc < 0) {
		return rc == -ENOENT ? 0 : rc;
	}
	if (f->opt.bundle != NULL && strcmp(f->opt.bundle, d.bundle) != 0) {
		return err_set(&f->err, -EPERM,
			       "--bundle %s: workflow %s has %s%s, and no call of it another",
			       f->opt.bundle, d.name, d.bundle[0] != '\0' ? "the bundle " : "no ",
			       d.bundle[0] != '\0' ? d.bundle : "bundle (workflow new --bundle)");
	}
	*ret = d.bundle[0] != '\0' ? arena_string(&f->arena, d.bundle) : NULL;
	return 0;
}

/* What the call is to be given: what it asks for, or all that its profile lists. */
static struct strings
wanted(const struct front *f)
{
	const struct strings asked = { .items = f->opt.grants, .count = f->opt.grant_count };

	return asked.count > 0 ? asked : f->profile->credentials;
}

/* "NAME=N" of --credential-fd; the descriptor, or -EINVAL. */
static int
handle_fd(const char *text)
{
	const char *equals = strchr(text, '=');
	uint64_t fd;

	if (equals == NULL || equals == text || units_count(equals + 1, &fd) < 0 || fd > INT_MAX ||
	    fd <= STDERR_FILENO) {
		return -EINVAL;
	}
	return (int)fd;
}

static int
check_handles(struct front *f)
{
	for (size_t i = 0; i < f->opt.handle_count; i++) {
		int fd = handle_fd(f->opt.handles[i]);

		/* what is close-on-exec is ours */
		if (fd < 0 || fcntl(fd, F_GETFD) != 0) {
			return err_set(&f->err, fd < 0 ? -EINVAL : -EBADF,
				       "--credential-fd %s: wants NAME=N, N being a descriptor "
				       "above 2 that airlock was started with",
				       f->opt.handles[i]);
		}
	}
	return 0;
}

static void __attribute__((noreturn))
become_lease(struct front *f, const char *const argv[], int socket)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	const int stdio[] = { socket, null, null };

	/* a key that ends the tool ends no lease: the call's end does */
	if (null < 0 || setsid() < 0 || sys_close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) < 0) {
		_exit(EXIT_AIRLOCK);
	}
	for (size_t i = 0; i < f->opt.handle_count; i++) {
		if (fcntl(handle_fd(f->opt.handles[i]), F_SETFD, 0) < 0) {
			_exit(EXIT_AIRLOCK);
		}
	}
	front_become_cli(f, argv, stdio);
}

static int
start(struct front *f, const char *bundle, struct lease_hold *h)
{
	const struct strings items = wanted(f);
	const char **argv =
		arena_alloc(&f->arena, (items.count + f->opt.handle_count + 8) * sizeof(*argv));
	int ends[2];
	size_t n = 0;

	if (argv == NULL || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
		return err_sys(&f->err, argv == NULL ? -ENOMEM : -errno, "lease credentials");
	}
	argv[n++] = "airlock-cli";
	argv[n++] = "lease";
	argv[n++] = f->req.call_text;
	argv[n++] = bundle;
	argv[n++] = profile_mode_words[f->req.mode];
	argv[n++] = f->opt.grant_count > 0 ? "asked" : "listed";
	argv[n++] = arena_printf(&f->arena, "%u", h->uid);
	for (size_t i = 0; i < f->opt.handle_count; i++) {
		argv[n++] = f->opt.handles[i];
	}
	for (size_t i = 0; i < items.count; i++) {
		argv[n++] = items.items[i];
	}
	h->socket = ends[0];
	h->pid = fork();
	if (h->pid == 0) {
		become_lease(f, argv, ends[1]);
	}
	close(ends[1]);
	return h->pid < 0 ? err_sys(&f->err, -errno, "start airlock-cli lease") : 0;
}

/* The next message, its first byte checked; *ret_text is what follows it, in the arena. */
static int
hear(struct front *f, struct lease_hold *h, enum credd_message want, const uint8_t **ret_text,
     size_t *ret_len, int fds[SYS_FDS_MAX])
{
	struct pollfd waits[] = { { .fd = h->socket, .events = POLLIN },
				  { .fd = f->end_fd, .events = POLLIN } };
	uint8_t *message = arena_alloc(&f->arena, CREDD_MESSAGE_MAX);
	ssize_t n;
	pid_t pid;
	int rc;

	do {
		rc = poll(waits, ARRAY_LEN(waits), ANSWER_MS);
		if (rc > 0 && waits[1].revents != 0 && front_ended(f) < 0) {
			return -EINTR;
		}
	} while ((rc < 0 && errno == EINTR) || (rc > 0 && waits[0].revents == 0));
	n = message == NULL || rc <= 0
		  ? -ETIMEDOUT
		  : sys_recv_message(h->socket, message, CREDD_MESSAGE_MAX, fds, &pid);
	rc = n < 0 ? err_sys(&f->err, (int)n, "hear from the lease's process")
		   : credd_hear(message, (size_t)n, want, &f->err);
	if (rc < 0) {
		/* who says why has wiped what he had, and ends */
		h->is_revoked = rc == -EACCES;
		return rc;
	}
	*ret_text = message + 1;
	*ret_len = (size_t)n - 1;
	return 0;
}

/* No call lasts longer than what it holds: told here, and held to by the supervisor. */
static int
check_end(struct front *f, const struct lease_item *item)
{
	uint64_t now_ms = clock_realtime_ms();
	auto_buf left = BUF_INIT;

	if (item->expires_ms == 0 || item->expires_ms > now_ms + f->req.limits.wall_ms) {
		return 0;
	}
	if (item->expires_ms <= now_ms) {
		return err_set(&f->err, -EKEYEXPIRED,
			       "the lease of credential %s ended before the call began",
			       item->item);
	}
	f->req.limits.wall_ms = item->expires_ms - now_ms;
	units_print_duration(&left, f->req.limits.wall_ms);
	front_warn(f, arena_printf(&f->arena,
				   "limits.wall is %s: the lease of credential %s ends then",
				   buf_text(&left), item->item));
	return 0;
}

static int
take_lease(struct front *f, struct lease_hold *h)
{
	struct plan_credential *planned =
		arena_alloc(&f->arena, (LEASE_ITEMS_MAX) * sizeof(*planned));
	const uint8_t *bytes;
	int fds[SYS_FDS_MAX];
	size_t len;
	int rc;

	if (planned == NULL) {
		return err_set(&f->err, -ENOMEM, "out of memory");
	}
	rc = hear(f, h, CREDD_LEASED, &bytes, &len, fds);
	if (rc == 0 && lease_decode(bytes, len, &h->lease) < 0) {
		rc = err_set(&f->err, -EPROTO, "what airlock-cli leased is damaged");
	}
	for (size_t i = 0; rc == 0 && i < h->lease.count; i++) {
		const struct lease_item *item = &h->lease.items[i];

		planned[i] =
			(struct plan_credential){ .delivery = item->delivery, .name = item->name };
	}
	for (size_t i = 0; rc == 0 && i < h->lease.left_out_count; i++) {
		front_warn(f, h->lease.left_out[i]);
	}
	f->req.credentials = planned;
	f->req.credential_count = h->lease.count;
	return rc;
}

/*
 * Whoever revokes an item first has the manifest say so, then looks who may hold it: before the
 * manifest is read here, the call says that it may. Of what it got it says that alone.
 */
static int
say_holds(struct front *f, const char *bundle, const struct strings items)
{
	int rc = running_set_lease(&f->running, bundle, items.items, items.count);

	rc = rc < 0 ? rc : running_update(f->running_fd, &f->running);
	return rc < 0 ? err_sys(&f->err, rc, "write down what the call may be leased") : 0;
}

static int
say_leased(struct front *f, const struct lease *l)
{
	const char *items[LEASE_ITEMS_MAX];

	for (size_t i = 0; i < l->count; i++) {
		items[i] = l->items[i].item;
	}
	return say_holds(f, l->bundle, (struct strings){ .items = items, .count = l->count });
}

/*
 * What a tool writes passes through here before it is looked at: a core file would keep it. 1 and
 * not 0 stops what core_pattern pipes to as well (core(5)). The hard limit is the jail's to lower.
 */
static int
no_core(struct front *f)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_CORE, &limit) < 0) {
		return err_sys(&f->err, -errno, "RLIMIT_CORE");
	}
	limit.rlim_cur = limit.rlim_max < 1 ? limit.rlim_max : 1;
	return setrlimit(RLIMIT_CORE, &limit) < 0 ? err_sys(&f->err, -errno, "RLIMIT_CORE") : 0;
}

/* Where there is a range of ids that nobody has, airlock-credd is no more root than the tool. */
static int
take_uid(struct front *f, struct lease_hold *h)
{
	return f->req.identity.kind == IDENTITY_RANGE ? front_take_id(f, &h->uid_lock_fd, &h->uid)
						      : 0;
}

/* 0 with nothing leased where the profile lists nothing. */
static int
lease(struct front *f)
{
	const char *bundle = NULL;
	int rc;

	if (f->opt.input != NULL && f->opt.grant_count == 0) {
		return 0; /* what stands for another call has no more than is asked for */
	}
	if (f->profile->credentials.count == 0) {
		return f->opt.grant_count == 0
			     ? 0
			     : err_set(&f->err, -EPERM,
				       "--grant %s: profile %s lists no credentials",
				       f->opt.grants[0], f->profile->name);
	}
	for (size_t i = 0; i < f->opt.grant_count; i++) {
		if (!is_listed(&f->profile->credentials, f->opt.grants[i])) {
			return err_set(&f->err, -EPERM, "--grant %s: profile %s does not list it",
				       f->opt.grants[i], f->profile->name);
		}
	}
	rc = check_handles(f);
	rc = rc < 0 ? rc : find_bundle(f, &bundle);
	if (rc == 0 && bundle == NULL) {
		return err_set(&f->err, -ENOENT,
			       "profile %s gives the credential %s, and the call has no bundle: "
			       "airlock run --bundle BUNDLE, or workflow new --bundle BUNDLE",
			       f->profile->name, f->profile->credentials.items[0]);
	}
	if (rc == 0) {
		f->lease = arena_alloc(&f->arena, sizeof(*f->lease));
		rc = f->lease == NULL ? err_set(&f->err, -ENOMEM, "out of memory") : 0;
	}
	if (rc == 0) {
		f->lease->socket = f->lease->uid_lock_fd = -1;
		memset(f->lease->pipes, -1, sizeof(f->lease->pipes));
		rc = no_core(f);
		rc = rc < 0 ? rc : take_uid(f, f->lease);
		rc = rc < 0 ? rc : say_holds(f, bundle, wanted(f));
	}
	rc = rc < 0 ? rc : start(f, bundle, f->lease);
	rc = rc < 0 ? rc : take_lease(f, f->lease);
	return rc < 0 ? rc : say_leased(f, &f->lease->lease);
}

/* Who was ended while he waited is not refused. */
static int
refuse_unless(struct front *f, int rc)
{
	if (rc < 0 && rc != -EINTR) {
		front_refuse(f);
		return 0;
	}
	return rc;
}

/*
 * A postcondition is given nothing, but reads what a call wrote that was: without the values nobody
 * could look for them in it, so that no byte of it is kept.
 */
static void
keep_nothing_of_check(struct front *f)
{
	const struct running_call *parent = &f->parent;

	if (parent->call_text[0] != '\0' && (parent->lease[0] != '\0' || !parent->is_whole)) {
		f->profile->capture_inputs = CAPTURE_DIGESTS;
		f->profile->capture_file_size = 0;
		memset(f->profile->capture_stream, 0, sizeof(f->profile->capture_stream));
	}
}

int
front_lease(struct front *f)
{
	keep_nothing_of_check(f);
	/* a postcondition looks at what there is, and nobody looks at what a resolver says */
	if (f->opt.dry_run || f->refused || f->answered || f->parent.call_text[0] != '\0' ||
	    f->opt.serves != NULL) {
		return 0;
	}
	return refuse_unless(f, lease(f));
}

/* Its copy is the only one here, and locked; what came from airlock-credd is wiped. */
static int
make_scanner(struct front *f, struct lease_hold *h, int fd)
{
	struct credd_value heard[LEASE_ITEMS_MAX];
	struct scan_value values[LEASE_ITEMS_MAX];
	struct locked shared = LOCKED_INIT;
	int rc = fd < 0 ? -EPROTO : locked_map(fd, &shared);

	rc = rc < 0 ? rc : credd_hear_values(shared.data, shared.size, h->lease.count, heard);
	for (size_t i = 0; rc == 0 && i < h->lease.count; i++) {
		values[i] = (struct scan_value){ .item = h->lease.items[i].item,
						 .bytes = heard[i].bytes,
						 .len = heard[i].len };
	}
	rc = rc < 0 ? err_sys(&f->err, rc, "the values for the output scan")
		    : scanner_create(values, h->lease.count, &h->scanner, &f->err);
	locked_finish(&shared);
	for (size_t i = 0; rc == 0 && i < h->lease.count; i++) {
		if (!scanner_covers(h->scanner, (unsigned int)i)) {
			front_warn(f, arena_printf(&f->arena,
						   "credential %s is too short to be looked for "
						   "in what the tool writes",
						   h->lease.items[i].item));
		}
	}
	return rc;
}

/* What is said of the values, in the order of the items. */
static bool
take_facts(struct lease_hold *h, struct rd r)
{
	struct credd_fact facts[LEASE_ITEMS_MAX];

	if (credd_hear_facts(&r, h->lease.count, facts) < 0) {
		return false;
	}
	for (size_t i = 0; i < h->lease.count; i++) {
		memcpy(h->fingerprints[i], facts[i].fingerprint, LEASE_FINGERPRINT_SIZE);
		h->lease.items[i].expires_ms = facts[i].expires_ms;
		snprintf(h->resolvers[i], sizeof(h->resolvers[i]), "%s", facts[i].call);
	}
	for (size_t i = 0; i < h->lease.count; i++) {
		if (h->lease.items[i].delivery == DELIVERY_SSH_AGENT) {
			const uint8_t *digest = rd_bytes(&r, SHA256_SIZE);

			if (r.bad) {
				return false;
			}
			memcpy(h->public_keys[i], digest, SHA256_SIZE);
		}
	}
	return r.left == 0;
}

/* Whoever the tool is opens what it is handed by its number as well. */
static int
take_pipe(struct front *f, struct lease_hold *h, size_t i, int fd)
{
	const struct identity *id = &f->req.identity;
	bool is_tools = h->lease.items[i].delivery != DELIVERY_SSH_AGENT;

	h->pipes[i] = fd;
	if (fd < 0 || (is_tools && id->kind == IDENTITY_RANGE &&
		       fchown(fd, id->uid_outside, id->gid_outside) < 0)) {
		return err_sys(&f->err, fd < 0 ? -EPROTO : -errno, "credential %s",
			       h->lease.items[i].item);
	}
	return 0;
}

static int
take_values(struct front *f, struct lease_hold *h)
{
	const uint8_t *bytes = NULL;
	int fds[SYS_FDS_MAX];
	size_t len = 0;
	int rc;

	memset(fds, -1, sizeof(fds));
	rc = hear(f, h, CREDD_VALUES, &bytes, &len, fds);
	if (rc == 0 && !take_facts(h, (struct rd){ .p = bytes, .left = len })) {
		return err_set(&f->err, -EPROTO, "airlock-credd sent something else");
	}
	for (size_t i = 0; rc == 0 && i < h->lease.count; i++) {
		rc = take_pipe(f, h, i, fds[i]);
		rc = rc < 0 ? rc : check_end(f, &h->lease.items[i]);
	}
	if (rc == 0) {
		rc = make_scanner(f, h, fds[h->lease.count]);
		close(fds[h->lease.count]);
	}
	h->has_values = rc == 0;
	return rc < 0 ? rc : front_redact_context(f, h->scanner);
}

int
front_lease_values(struct front *f)
{
	return f->lease != NULL && f->lease->lease.count > 0
		     ? refuse_unless(f, take_values(f, f->lease))
		     : 0;
}

const struct scanner *
front_lease_scanner(const struct front *f)
{
	return f->lease != NULL ? f->lease->scanner : NULL;
}

uint64_t
front_lease_ends(const struct front *f)
{
	uint64_t first = 0;

	for (size_t i = 0; f->lease != NULL && i < f->lease->lease.count; i++) {
		uint64_t ends = f->lease->lease.items[i].expires_ms;

		first = ends != 0 && (first == 0 || ends < first) ? ends : first;
	}
	return first;
}

int
front_lease_fd(const struct front *f)
{
	return f->lease != NULL && f->lease->has_values ? f->lease->socket : -1;
}

void
front_lease_wipe(struct front *f)
{
	if (f->lease != NULL) {
		scanner_destroy(f->lease->scanner);
		f->lease->scanner = NULL;
	}
}

size_t
front_lease_pipes(const struct front *f, int *ret_fds)
{
	size_t count = f->lease != NULL ? f->lease->lease.count : 0;

	for (size_t i = 0; i < count; i++) {
		ret_fds[i] = f->lease->pipes[i];
	}
	return count;
}

void
front_lease_sent(struct front *f)
{
	for (size_t i = 0; f->lease != NULL && i < LEASE_ITEMS_MAX; i++) {
		cleanup_fd(&f->lease->pipes[i]);
		f->lease->pipes[i] = -1;
	}
}
