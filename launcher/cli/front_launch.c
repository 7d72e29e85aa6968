/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the front: from a jail without a plan to a dead sandbox. The jail is started first, the
 * plan follows it, and the planned part is durable before it is told to go on: the kernel makes
 * namespaces while we plan, the jail mounts while the journal syncs. The input tree is hashed by
 * the one further thread, beside the tool, and joined before anything is settled.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/text.h"
#include "../workflow/running.h"
#include "front.h"

#define TREE_STACK (512u << 10)

struct hasher {
	struct front *f;
	pthread_t thread;
	bool started;
	atomic_bool cancel;
	int cache_fd;
	int done_fd; /* eventfd: readable once the thread is through */
	int result;
	struct err err;
};

static void *
hash_input(void *arg)
{
	struct hasher *h = arg;
	const struct tree_request req = {
		.root_fd = h->f->req.workspace_fd,
		.cache_fd = h->cache_fd,
		.content = h->f->profile->capture_inputs == CAPTURE_CONTENT,
		.content_max = h->f->profile->capture_file_size,
		.hide = &h->f->profile->hide,
		.start_ns = h->f->start_ns,
		.pack = &h->f->pack,
		.cancel = &h->cancel,
	};

	h->result = tree_hash(&req, &h->f->tree, &h->err);
	ignore_err(eventfd_write(h->done_fd, 1), "it cannot be full");
	return NULL;
}

static int
open_stat_cache(struct front *f)
{
	const struct request *r = &f->req;
	uint8_t digest[32];
	char key[96], name[96], hex[HEX_DIGEST_SIZE];

	snprintf(key, sizeof(key), "%llu:%llu:%lld", (unsigned long long)r->workspace_dev,
		 (unsigned long long)r->workspace_ino, (long long)r->workspace_btime_ns);
	sha256_of(key, strlen(key), digest);
	text_hex(digest, 16, hex);
	snprintf(name, sizeof(name), "cache/stat-%s", hex);
	/* Without it every file is hashed again: slower, not wrong. */
	return openat(f->store.dir_fd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
}

static int
start_hasher(struct front *f, struct hasher *h)
{
	pthread_attr_t attr;
	int rc;

	f->start_ns = (int64_t)clock_ns(CLOCK_REALTIME_COARSE);
	h->f = f;
	/* inodes of a copy are nobody's a second time */
	h->cache_fd = f->req.snapshot ? -1 : open_stat_cache(f);
	h->done_fd = eventfd(0, EFD_CLOEXEC);
	if (h->done_fd < 0) {
		return err_sys(&f->err, -errno, "eventfd");
	}
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, TREE_STACK);
	rc = pthread_create(&h->thread, &attr, hash_input, h);
	pthread_attr_destroy(&attr);
	if (rc != 0) {
		return err_sys(&f->err, -rc, "start the thread that hashes the input");
	}
	h->started = true;
	return 0;
}

/*
 * A workspace may hold more than anybody wants to wait for (a sparse file of terabytes): the call's
 * own wall limit, from here once more, or a signal, ends the hash.
 */
static void
await_hash(struct front *f, struct hasher *h)
{
	struct pollfd fds[] = { { .fd = h->done_fd, .events = POLLIN },
				{ .fd = f->end_fd, .events = POLLIN } };
	uint64_t wall_ms = f->req.limits.wall_ms;

	if (poll(fds, 2, wall_ms > INT_MAX ? INT_MAX : (int)wall_ms) <= 0 || fds[0].revents == 0) {
		atomic_store(&h->cancel, true);
	}
}

/* Who cannot say that nothing changed says that something did. */
static void
look_again(struct front *f)
{
	uint64_t wall_ms = f->req.limits.wall_ms < INT_MAX ? f->req.limits.wall_ms : INT_MAX;
	const struct tree_look look = {
		.root_fd = f->req.workspace_fd,
		.stop_fd = f->end_fd,
		.start_ns = f->start_ns,
		.deadline_ns = clock_monotonic_ns() + wall_ms * 1000000u,
	};
	struct err err = ERR_INIT;
	int rc = tree_look_again(&look, &f->tree_changed, &err);

	f->tree.unstable = f->tree.unstable || rc < 0 || f->tree_changed.count > 0;
	if (rc < 0) {
		front_warn(f, arena_string(&f->arena, err.text));
	}
}

static void
join_hasher(struct front *f, struct hasher *h)
{
	if (!h->started) {
		return;
	}
	await_hash(f, h);
	pthread_join(h->thread, NULL);
	cleanup_fd(&h->cache_fd);
	cleanup_fd(&h->done_fd);
	f->tree_known = h->result == 0;
	if (f->tree_known && f->snapshot_fd >= 0) {
		f->tree.unstable = f->tree_changed.count > 0; /* while it was copied */
	} else if (f->tree_known && f->outcome.launched) {
		look_again(f);
	}
	if (h->result < 0 && f->outcome.launched) {
		front_warn(f, arena_printf(&f->arena, "the input tree was not hashed: %s",
					   h->err.text));
	}
}

/*
 * The tool's ends of the pipes belong to the id that it runs as, else it could not open
 * /dev/stdout.
 */
static int
own_pipes(struct front *f, const int child_fds[RELAY__COUNT])
{
	const struct identity *id = &f->req.identity;

	for (int i = 0; id->kind == IDENTITY_RANGE && i < RELAY__COUNT; i++) {
		struct stat st;

		if (fstat(child_fds[i], &st) == 0 && S_ISFIFO(st.st_mode) &&
		    fchown(child_fds[i], id->uid_outside, id->gid_outside) < 0) {
			return err_sys(&f->err, -errno, "hand the pipes to uid %u",
				       id->uid_outside);
		}
	}
	return 0;
}

int
front_spawn(struct front *f)
{
	int child_fds[RELAY__COUNT] = { -1, -1, -1 };
	struct spawn_request req = { .identity = &f->req.identity,
				     .jail_exe_fd = f->paths.jail_fd,
				     .stdio = child_fds,
				     .cgroup = &f->cgroup };
	const uint64_t *keep = f->profile->capture_stream;
	const struct relay_options relay = { .scanner = front_lease_scanner(f),
					     .on_leak = f->profile->on_leak,
					     .output_limit = f->req.limits.output_bytes,
					     .keep = { keep[RELAY_STDIN], keep[RELAY_STDOUT],
						       keep[RELAY_STDERR] },
					     .no_stdin = f->opt.no_stdin,
					     .given_stdout = f->opt.serves != NULL,
					     .raw = f->opt.raw,
					     .terminal = f->opt.tty };
	int rc = front_listen_to_terminal(f);

	if (rc == 0) {
		rc = relay_init(&f->relay, f->store.dir_fd, &relay, child_fds, &f->err);
	}
	if (rc == 0) {
		rc = own_pipes(f, child_fds);
	}
	if (rc == 0) {
		rc = spawn_jail(&req, &f->jail, &f->err);
	}
	for (int i = 0; i < RELAY__COUNT; i++) {
		cleanup_fd(&child_fds[i]);
	}
	return rc < 0 ? rc : front_serves_let_go(f);
}

/* `airlock ps` shows it. */
static void
on_frozen(void *arg, bool is_frozen)
{
	struct front *f = arg;

	f->running.is_frozen = is_frozen;
	if (f->running_fd >= 0) {
		ignore_err(running_update(f->running_fd, &f->running), "it is frozen all the same");
	}
}

/* The planned part is durable already: what became of the call is to be known, too. */
static void
end_unhashed(struct front *f)
{
	struct outcome *o = &f->outcome;

	jail_handle_finish(&f->jail);
	o->verdict = VERDICT_LAUNCH_FAILED;
	snprintf(o->reason, sizeof(o->reason), "input: %.400s", f->err.text);
	denials_launch(&o->denials, "input", -f->err.code, f->err.text);
	f->err = (struct err)ERR_INIT;
}

static int
supervise(struct front *f)
{
	struct hasher hasher = { .cancel = false, .cache_fd = -1, .done_fd = -1 };
	const struct supervise_request req = {
		.profile = f->profile,
		.plan = f->plan,
		.limits = &f->req.limits,
		.end_ms = f->end_ms,
		.lease_ms = front_lease_ends(f),
		.lease_fd = front_lease_fd(f),
		.jail = &f->jail,
		.relay = &f->relay,
		.cgroup = &f->cgroup,
		.shmem_bytes = f->shmem_bytes,
		.terminal = f->opt.tty ? &f->terminal : NULL,
		.workspace_fd = f->req.workspace_fd,
		.signal_fd = f->signal_fd,
		.control = { .kill = RUNNING_SIGNAL_KILL,
			     .freeze = RUNNING_SIGNAL_FREEZE,
			     .thaw_flag = RUNNING_THAW_FLAG,
			     .limits_flag = RUNNING_LIMITS_FLAG,
			     .words = running_by_words,
			     .on_frozen = on_frozen,
			     .limits = front_limits,
			     .arg = f },
		.disk_watch_fd = f->upper_parent_fd,
	};
	int rc = start_hasher(f, &hasher);

	if (f->opt.tty) {
		terminal_init(&f->terminal, f->opt.no_stdin);
	}
	if (rc == 0) {
		rc = supervise_run(&req, &f->outcome, &f->err);
	} else {
		end_unhashed(f);
		rc = 0;
	}
	if (rc == 0 && !f->outcome.launched) {
		/* nothing ran: what it would have seen is of no use */
		atomic_store(&hasher.cancel, true);
	}
	front_lease_end(f);
	front_leave_signals(f);
	trace_step("sandbox gone");
	join_hasher(f, &hasher);
	trace_step("input hash joined");
	return rc;
}

int
front_launch(struct front *f)
{
	int fds[SPAWN_FDS_MAX] = { f->workspace_clone, f->upper_clone, f->draft_clone };
	size_t count = SPAWN_CLONES + front_lease_pipes(f, fds + SPAWN_CLONES);
	int rc = spawn_send_plan(&f->jail, f->plan, fds, count, &f->err);

	front_lease_sent(f);
	if (rc == 0) {
		rc = front_record_planned(f);
		trace_step("planned part durable");
	}
	return rc == 0 ? supervise(f) : rc;
}
