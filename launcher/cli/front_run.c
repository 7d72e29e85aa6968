/* SPDX-License-Identifier: Apache-2.0 */
/* `airlock run`: the pipeline of docs/architecture.md, one line a stage. Run by the front. */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../base/text.h"
#include "../base/units.h"
#include "../snapshot/remove.h"
#include "../sys/sys.h"
#include "front.h"

#define HIDDEN_MOUNTS_NAMED 8u /* of the warnings that a record has room for */

struct stage {
	const char *name; /* for AIRLOCK_TRACE; NULL: counts with the next */
	int (*run)(struct front *f);
};

/* What the clone of the workspace left behind. A caller who is not root was refused before. */
static void
note_hidden_mounts(struct front *f)
{
	const char *const *points;
	size_t count = plan_hidden_mounts(f->builder, &points);

	for (size_t i = 0; i < count && i < HIDDEN_MOUNTS_NAMED; i++) {
		front_warn(f, arena_printf(&f->arena,
					   "%s is mounted inside the workspace: the call does not "
					   "see it, but %s",
					   points[i],
					   f->req.snapshot ? "an empty directory"
							   : "the directory beneath"));
	}
	if (count > HIDDEN_MOUNTS_NAMED) {
		front_warn(f, arena_printf(&f->arena, "and %zu more mounts inside the workspace",
					   count - HIDDEN_MOUNTS_NAMED));
	}
}

static int
make_builder(struct front *f)
{
	int rc = plan_builder_create(f->profile, &f->req, &f->builder, &f->err);

	if (rc == 0) {
		note_hidden_mounts(f);
		front_worktree_planned(f);
	}
	return rc;
}

static int
finish_plan(struct front *f)
{
	return plan_builder_finish(f->builder, &f->plan, &f->err);
}

static int
make_cgroup(struct front *f)
{
	int rc = 0;

	if (f->site.version != CGROUP_NONE) {
		rc = cgroup_create(&f->site, &f->req.limits, f->shmem_bytes, f->req.call,
				   &f->cgroup, &f->err);
	}
	if (rc == -ESTALE && front_cgroup_again(f) == 0) {
		rc = cgroup_create(&f->site, &f->req.limits, f->shmem_bytes, f->req.call,
				   &f->cgroup, &f->err);
	}
	if (rc == -ESTALE) {
		err_prefix(&f->err, "start the call again");
	}
	return rc;
}

/* Resolvers may have given something before the lease was refused. */
static int
end_lease(struct front *f)
{
	front_lease_end(f);
	return 0;
}

/* One line a stage. */
/* clang-format off */

/* Request and profile: nothing is started, what fails leaves no trace but an empty store. */
static const struct stage prepare_stages[] = {
	{ NULL, front_find_paths },
	{ "request", front_workspace },
	{ NULL, front_identity },
	{ NULL, front_root_only },
	{ "identity", front_become_owner },
	{ NULL, front_state_path },
	{ NULL, front_refuse_overlap },
	{ NULL, front_refuse_answers },
	{ "store", front_store },
	{ NULL, front_recover },
	{ NULL, front_profile },
	{ NULL, front_refuse_writes },
	{ NULL, front_refuse_written_answers },
	{ NULL, front_narrow },
	{ "profile", front_serves_narrow },
	{ "layers", front_layers },
	{ NULL, front_asked_environment },
};

/* From here on each attempt of a call that may run again is on its own. */
static const struct stage admit_stages[] = {
	{ "admitted", front_admit },
	{ NULL, front_lease },
};

/* What the call runs on, and with. */
static const struct stage begin_stages[] = {
	{ NULL, front_note_profile },
	{ "workspace locked", front_lock },
	{ NULL, front_draft },
	{ NULL, front_input },
	{ NULL, front_snapshot },
	{ NULL, front_upper },
	{ "cgroup", make_cgroup },
	{ NULL, front_lease_values },
};

/*
 * A jail that has no plan yet: the kernel makes its namespaces meanwhile. It dies with us, whatever
 * fails below.
 */
static const struct stage spawn_stages[] = {
	{ "jail started", front_spawn },
};

static const struct stage plan_stages[] = {
	{ NULL, front_choose_shell },
	{ NULL, front_toolchains },
	{ NULL, front_worktree },
	{ NULL, front_environment },
	{ NULL, front_clone_workspace },
	{ NULL, front_caches },
	{ NULL, front_inspector },
	{ NULL, make_builder },
	{ "mounts planned", front_lookup },
};

/* Without the workspace's lock: it shows what would be, and keeps nobody waiting. */
static const struct stage dry_stages[] = {
	{ NULL, front_draft },
	{ NULL, front_input },
};

/* From front_claim on the call has its number. */
static const struct stage launch_stages[] = {
	{ NULL, front_ended },
	{ NULL, front_claim },
	{ "plan", finish_plan },
	{ NULL, front_launch },
	{ NULL, front_keep_streams },
	{ "settle", front_settle },
	{ NULL, front_on_failure },
	{ "outcome durable", front_record_outcome },
};

/* Of a call that is not let in. */
static const struct stage refuse_stages[] = {
	{ NULL, end_lease },
	{ NULL, front_claim },
	{ NULL, front_record_planned },
	{ "outcome durable", front_record_outcome },
};

/* clang-format on */

static int
run_stages(struct front *f, const struct stage *stages, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int rc;

		f->err = (struct err)ERR_INIT;
		rc = stages[i].run(f);
		if (rc < 0) {
			if (f->err.code == 0) {
				err_sys(&f->err, rc, "%s",
					stages[i].name != NULL ? stages[i].name : "run");
			}
			return rc;
		}
		if (stages[i].name != NULL) {
			trace_step(stages[i].name);
		}
	}
	f->err = (struct err)ERR_INIT;
	return 0;
}

static void
print_plan(struct front *f)
{
	const struct plan *p = f->plan;
	auto_buf text = BUF_INIT, safe = BUF_INIT;

	buf_printf(&text,
		   "profile   %s (%s)\nprogram   %s\ndirectory %s\nids       %u:%u inside, %u:%u "
		   "outside\n",
		   f->profile->name, f->profile->source, p->exe, p->cwd, p->uid_inside,
		   p->gid_inside, p->uid_outside, p->gid_outside);
	for (size_t i = 0; i < f->toolchains.place_count; i++) {
		const struct toolchain_place *t = &f->toolchains.places[i];

		buf_printf(&text, "toolchain %s (%s)\n", toolchain_name(t->id), t->root);
	}
	if (f->worktree.common != NULL) {
		buf_printf(&text, "worktree  of %s\n", f->worktree.common);
	}
	for (size_t i = 0; i < f->draft.count; i++) {
		char call[UUID_TEXT_SIZE];

		text_uuid_print(f->draft.items[i].call, call);
		buf_printf(&text, "over      held call %s\n", call);
	}
	for (size_t i = 0; i < p->mount_count; i++) {
		const struct plan_mount *m = &p->mounts[i];
		bool elsewhere = m->source[0] != '\0' && strcmp(m->source, m->target) != 0;

		buf_printf(&text, "%-9s %s%s%s%s\n", plan_mount_kind_name(m->kind), m->target,
			   elsewhere ? " <- " : "", elsewhere ? m->source : "",
			   (m->flags & MOUNT_WRITABLE) != 0 ? " (writable)" : "");
	}
	text_safe(&safe, buf_text(&text), text.len, true);
	ignore_err(fdio_write(STDOUT_FILENO, buf_text(&safe), safe.len),
		   "who does not read it, does not want it");
}

static int
dry_run(struct front *f)
{
	int rc = run_stages(f, dry_stages, ARRAY_LEN(dry_stages));

	rc = rc < 0 ? rc : run_stages(f, plan_stages, ARRAY_LEN(plan_stages));
	f->req.upper_dir = "";
	if (rc == 0) {
		rc = finish_plan(f);
	}
	if (rc == 0) {
		print_plan(f);
	}
	return rc;
}

static int
run_call(struct front *f)
{
	int rc;

	if (f->refused) {
		return run_stages(f, refuse_stages, ARRAY_LEN(refuse_stages));
	}
	rc = run_stages(f, begin_stages, ARRAY_LEN(begin_stages));
	if (rc == 0 && f->refused) {
		return run_stages(f, refuse_stages, ARRAY_LEN(refuse_stages));
	}
	rc = rc < 0 ? rc : run_stages(f, spawn_stages, ARRAY_LEN(spawn_stages));
	rc = rc < 0 ? rc : run_stages(f, plan_stages, ARRAY_LEN(plan_stages));
	return rc == 0 ? run_stages(f, launch_stages, ARRAY_LEN(launch_stages)) : rc;
}

/*
 * What is worth undoing of a call: its groups and its directory on disk. Mounts go with the last
 * descriptor.
 */
static void
undo(struct front *f)
{
	if (f->upper_parent_fd >= 0 && !f->outcome.undead) {
		ignore_err(remove_tree(f->scratch_parent_fd, f->req.call_text),
			   "the next sweep removes it");
	}
	if (f->snapshot_fd >= 0 && !f->outcome.undead) {
		ignore_err(remove_tree(f->scratch_parent_fd, f->snapshot_name),
			   "the next sweep removes it");
	}
	if (f->store.dir_fd >= 0) {
		front_sweep_upper(f);
	}
	if (f->site.version != CGROUP_NONE) {
		cgroup_destroy(&f->cgroup, &f->site);
		cgroup_sweep(&f->site);
	}
}

/* An airlock-log that lives looks once more before it goes: there is no need for another. */
static bool
index_is_kept(struct front *f)
{
	auto_fd lock = openat(f->store.dir_fd, "index.lock", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	return lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) < 0;
}

/*
 * After the answer nobody waits: a child takes the sandbox apart (it holds the last descriptors of
 * its mounts) and becomes airlock-log, which brings the index up to date. It has nothing of the
 * caller's open. Where no child can be had, all is done here; every reading verb brings the index
 * up to date by itself.
 */
static void
finish_behind(struct front *f)
{
	const char *argv[] = { "airlock-log", "--state", f->store.path, NULL };
	const char *few[FRONT_ENVIRON_ROOM];
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	pid_t pid = f->recorded && null >= 0 ? fork() : -1;
	sigset_t none;

	if (pid != 0) {
		if (pid < 0) {
			undo(f);
		}
		return;
	}
	if (sys_leave_caller() < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 ||
	    dup2(null, 2) < 0) {
		_exit(EXIT_AIRLOCK);
	}
	undo(f);
	front_lease_sweep(f);
	if (index_is_kept(f)) {
		_exit(0);
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	ignore_err(sys_close_range(3, ~0u, CLOSE_RANGE_CLOEXEC),
		   "all of ours are close-on-exec; this is for the caller's");
	ignore_err(sys_execveat(f->paths.log_fd, "", argv, front_environ(f, few), AT_EMPTY_PATH),
		   "the index is caught up by the next reader");
	_exit(EXIT_AIRLOCK);
}

/* What others wait for: the child behind the answer must not have it. */
static void
release(struct front *f)
{
	front_lease_wipe(f);
	workspace_lock_release(&f->lock);
	if (f->over_fd >= 0) {
		ignore_err(flock(f->over_fd, LOCK_UN), "it goes with the process");
	}
	if (f->calls_fd >= 0) {
		ignore_err(flock(f->calls_fd, LOCK_UN), "the same");
	}
}

/* All that is one call's: the exit status. rc: what came of the stages before. */
static int
run_on(struct front *f, int rc)
{
	if (rc == 0) {
		rc = run_stages(f, admit_stages, ARRAY_LEN(admit_stages));
	}
	if (rc == 0 && !f->answered) {
		rc = f->opt.dry_run ? dry_run(f) : run_call(f);
	}
	if (rc == 0 && f->opt.dry_run) {
		return 0;
	}
	front_lease_end(f);
	front_account(f, rc == 0);
	if (rc == 0 && f->answered) {
		return f->exit_status;
	}
	if (rc < 0 && f->err.code == 0) {
		f->err.code = rc;
	}
	release(f);
	front_result(f);
	if (f->recorded) {
		front_receipt(f, f->req.call_text);
	}
	jail_handle_finish(&f->jail);
	/*
	 * Nothing runs under the id any more; the next call need not wait until the rest is taken
	 * apart.
	 */
	if (f->uid_lock_fd >= 0 && !f->outcome.undead) {
		close(f->uid_lock_fd);
	}
	finish_behind(f);
	trace_step("hand over the rest");
	trace_print();
	return f->exit_status;
}

int
front_main_run(int argc, char **argv)
{
	struct front f = {
		.err = ERR_INIT,
		.uid_lock_fd = -1,
		.cgroup = CGROUP_INIT,
		.store = STORE_INIT,
		.lock = WORKSPACE_LOCK_INIT,
		.workflow_fd = -1,
		.calls_fd = -1,
		.running_fd = -1,
		.scratch_parent_fd = -1,
		.upper_parent_fd = -1,
		.snapshot_fd = -1,
		.workspace_clone = -1,
		.upper_clone = -1,
		.draft_clone = -1,
		.over_fd = -1,
		.input_fd = -1,
		.signal_fd = -1,
		.end_fd = -1,
		.commits_fd = -1,
		.jail = JAIL_HANDLE_INIT,
		.pack = PACK_INIT,
		.relay = RELAY_INIT,
		.req = { .workspace_fd = -1, .exe = "" },
	};
	int rc;

	outcome_init(&f.outcome);
	for (int i = 0; i < RELAY__COUNT; i++) {
		/* a call that is refused has no relay; its record says what nothing hashes to */
		sha256_init(&f.relay.spool[i].hash);
	}
	rc = front_parse(&f, argc, argv);
	if (rc == -ECANCELED) {
		return 0;
	}
	f.req.argv = f.opt.argv;
	f.req.argc = f.opt.argc;
	if (rc == 0) {
		f.req.terminal = f.opt.tty;
		rc = run_stages(&f, prepare_stages, ARRAY_LEN(prepare_stages));
	}
	return rc == 0 && front_may_retry(&f) ? front_attempts(&f, run_on) : run_on(&f, rc);
}
