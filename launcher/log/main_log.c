/* SPDX-License-Identifier: Apache-2.0 */
/*
 * airlock-log: takes the journal into index.db, and extends the signed log. Exec'd detached by the
 * front after its answer, with /dev/null as stdio, as the caller; or run by a person. Trusts its
 * command line and the environment as far as the caller's own state directory; nothing that stands
 * in the journal.
 *
 * It stays for a moment after it has caught up, so that a burst of calls costs one process and few
 * transactions. Somebody else who has the lock does the same work: then there is nothing to do.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "../base/cleanup.h"
#include "../base/clock.h"
#include "log_witness.h"
#include "log_write.h"
#include "../store/index.h"
#include "../store/quota.h"

#define NICE 10 /* calls come first; but a call is to be signed within a second on a busy host */
#define LINGER_MS 1000u
#define EXTEND_MS 500u /* so that a call is signed within a second of its answer */
#define HOLD_MS 10000u /* then whoever waits for the lock gets a turn */
#define OTHERS_TURN_MS 20
#define EXIT_USAGE 125

static const char usage[] =
	"usage: airlock-log [--state DIR] [--rebuild] [--wait]\n"
	"Takes the journal into the index and the signed log, and goes when nothing new comes.\n"
	"  --state DIR  the state directory (default: as airlock)\n"
	"  --rebuild    drop the index first; waits\n"
	"  --wait       wait for another airlock-log instead of leaving the work to it\n";

struct request {
	const char *state; /* borrowed; NULL: from the environment */
	bool rebuild, wait;
};

/* -1 to go on, else the exit status. */
static int
parse(int argc, char **argv, struct request *ret)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "rebuild", no_argument, NULL, 'r' },
		{ "state", required_argument, NULL, 's' },
		{ "wait", no_argument, NULL, 'w' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
		switch (c) {
		case 'h':
			fputs(usage, stdout);
			return 0;
		case 'r':
			ret->rebuild = true;
			break;
		case 's':
			ret->state = optarg;
			break;
		case 'w':
			ret->wait = true;
			break;
		default:
			return EXIT_USAGE; /* getopt_long named the option */
		}
	}
	if (optind < argc) {
		fprintf(stderr, "airlock-log: takes no operands\n");
		return EXIT_USAGE;
	}
	return -1;
}

static int
open_state(const struct request *req, struct store *ret, struct err *err)
{
	auto_free char *path = NULL;
	const char *state = req->state != NULL ? req->state : getenv("AIRLOCK_STATE");
	int rc = store_path(state, getenv("XDG_STATE_HOME"), getenv("HOME"), &path, err);

	return rc != 0 ? rc : store_open_read(path, ret, err);
}

/*
 * An inotify descriptor on the journal; -1 when there is none to be had: then nothing is waited
 * for.
 */
static int
watch_journal(const struct store *s)
{
	auto_fd fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	auto_buf dir = BUF_INIT;

	buf_printf(&dir, "%s/journal", s->path);
	if (fd < 0 || buf_error(&dir) != 0 ||
	    inotify_add_watch(fd, buf_text(&dir), IN_MODIFY | IN_CREATE) < 0) {
		return -1;
	}
	return take_fd(&fd);
}

/* Whether something was written within the time; what exactly does not matter. */
static bool
was_written(int watch, unsigned int timeout_ms)
{
	struct pollfd pfd = { .fd = watch, .events = POLLIN };
	char events[4096];

	if (watch < 0 || poll(&pfd, 1, (int)timeout_ms) <= 0) {
		return false;
	}
	while (read(watch, events, sizeof(events)) > 0) {
	}
	return true;
}

/* The path of another program of this airlock. */
static int
beside(char *ret, size_t size, const char *name, struct err *err)
{
	ssize_t n = readlink("/proc/self/exe", ret, size - 1);
	char *slash;

	if (n < 0) {
		return err_sys(err, -errno, "read /proc/self/exe");
	}
	ret[n] = '\0';
	slash = strrchr(ret, '/');
	if (slash == NULL || (size_t)(slash + 1 - ret) + strlen(name) >= size) {
		return err_set(err, -ENAMETOOLONG, "%s is too far away", name);
	}
	memcpy(slash + 1, name, strlen(name) + 1);
	return 0;
}

/* Nobody sees this process: why it cannot sign is left for whoever reads the store. */
static int
extend(struct index *ix, struct store *s, struct err *err)
{
	const char *credentials = getenv("CREDENTIALS_DIRECTORY");
	char program[PATH_MAX];
	uint64_t size, entries;
	bool logged = true;
	int rc = beside(program, sizeof(program), "airlock-witness", err);

	/* what is noted of witnesses is in the log as well, and they sign that */
	for (int round = 0; round < 2 && rc == 0 && logged; round++) {
		logged = false;
		rc = log_extend(ix, s, credentials, &size, err);
		if (rc == 0 && size > 0) {
			rc = log_witness(ix, s, program, &logged, err);
		}
		if (rc == 0 && logged) {
			rc = index_ingest(ix, s, &entries, err);
		}
	}
	ignore_err(log_refuse(s, rc != 0 ? err->text : NULL),
		   "the next one says it again; verify finds it as well");
	return rc;
}

/*
 * Ingests until nothing was appended for LINGER_MS. The log is extended for the first entries at
 * once, then for all that came within EXTEND_MS: a checkpoint costs several syncs.
 */
static int
take_in(struct store *s, struct index *ix, int watch, struct err *err)
{
	uint64_t due = 0, entries, until = clock_monotonic_ns() / 1000000u + HOLD_MS;
	bool pending = true; /* what another airlock-log took in and did not sign */

	for (;;) {
		int rc = index_ingest(ix, s, &entries, err);
		uint64_t now = clock_monotonic_ns() / 1000000u;

		pending = pending || entries > 0;
		if (rc == 0 && pending && now >= due) {
			rc = extend(ix, s, err);
			due = clock_monotonic_ns() / 1000000u + EXTEND_MS;
			pending = false;
		}
		/* main comes back for what was written since */
		if (rc != 0 || (!pending && now > until)) {
			return rc;
		}
		if (!was_written(watch, pending ? (unsigned int)(due - now) : LINGER_MS) &&
		    !pending) {
			return 0;
		}
	}
}

static int
follow(struct store *s, const struct request *req, bool rebuild, int watch, struct err *err)
{
	auto_index ix = NULL;
	int rc = rebuild ? index_rebuild(s, true, &ix, err)
			 : index_open_write(s, req->wait, &ix, err);

	if (rc == -EWOULDBLOCK) {
		return 0;
	}
	rc = rc == 0 ? take_in(s, ix, watch, err) : rc;
	return rc == 0 ? quota_update(s, err) : rc;
}

int
main(int argc, char **argv)
{
	struct request req = { .state = NULL };
	struct store store = STORE_INIT;
	struct err err = ERR_INIT;
	int rc = parse(argc, argv, &req);

	if (rc >= 0) {
		return rc;
	}
	/* the key of the log is in no core file, and in nobody's debugger */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) {
		perror("airlock-log: prctl");
		return 1;
	}
	rc = open_state(&req, &store, &err);
	/* Nobody waits for the index: calls that run meanwhile come first. */
	if (!req.wait && setpriority(PRIO_PROCESS, 0, NICE) < 0) {
		rc = err_sys(&err, -errno, "setpriority");
	}
	if (rc == 0) {
		auto_fd watch = watch_journal(&store);

		rc = follow(&store, &req, req.rebuild, watch, &err);
		/* Who came while we were leaving found the lock held and left the work to us. */
		while (rc == 0 && was_written(watch, 0)) {
			ignore_err(poll(NULL, 0, OTHERS_TURN_MS), "a turn for who waits");
			rc = follow(&store, &req, false, watch, &err);
		}
	}
	store_finish(&store);
	if (rc != 0) {
		fprintf(stderr, "airlock-log: %s\n", err.text);
		return 1;
	}
	return 0;
}
