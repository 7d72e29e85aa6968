/* SPDX-License-Identifier: Apache-2.0 */
/* `airlock run`: the pipeline of docs/architecture.md, one line a stage. Run by the front. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/text.h"
#include "../base/units.h"
#include "../snapshot/remove.h"
#include "../sys/sys.h"
#include "front.h"

struct stage {
	const char *name; /* for AIRLOCK_TRACE; NULL: counts with the next */
	int (*run)(struct front *f);
};

static int
make_builder(struct front *f)
{
	return plan_builder_create(f->profile, &f->req, &f->builder, &f->err);
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
		rc = cgroup_create(&f->site, &f->req.limits, f->shmem_bytes, f->req.call, &f->cgroup, &f->err);
	}
	if (rc == -ESTALE) {
		/* Somebody removed the parent; the next call discovers anew. */
		ignore_err(unlink(f->site_cache), "it may be gone or root's; then the message repeats");
		err_prefix(&f->err, "start the call again");
	}
	return rc;
}

/* Request, profile, plan. Nothing is started or claimed here: what fails leaves no trace but an empty store. */
static const struct stage before_claim[] = {
	{ NULL, front_find_paths },
	{ NULL, front_workspace },
	{ "request", front_identity },
	{ NULL, front_root_cgroup },
	{ "identity", front_become_owner },
	{ NULL, front_store },
	{ "store", front_refuse_overlap },
	{ NULL, front_profile },
	{ "profile", front_narrow },
	{ NULL, front_environment },
	{ NULL, front_layers },
	{ "layers", front_clone_workspace },
	{ NULL, make_builder },
	{ "mounts planned", front_lookup },
};

/* From here on there is something to take back. */
static const struct stage launch[] = {
	{ NULL, front_claim },
	{ NULL, front_upper },
	{ NULL, finish_plan },
	{ "plan", make_cgroup },
	{ NULL, front_launch },
	{ "settle", front_settle },
	{ "outcome durable", front_record_outcome },
};

static int
run_stages(struct front *f, const struct stage *stages, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int rc;

		f->err = (struct err)ERR_INIT;
		rc = stages[i].run(f);
		if (rc < 0) {
			if (f->err.code == 0) {
				err_sys(&f->err, rc, "%s", stages[i].name != NULL ? stages[i].name : "run");
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

/* The index follows behind the answer: started detached, with nothing of the caller's open. */
static void
start_index(struct front *f)
{
	extern char **environ;
	const char *argv[] = { "airlock-log", "--state", f->store.path, NULL };
	pid_t pid = f->recorded ? fork() : -1;

	if (pid == 0) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);
		sigset_t none;

		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		if (null < 0 || setsid() < 0 || chdir("/") < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 ||
		    dup2(null, 2) < 0 || sys_close_range(3, ~0u, 1u << 2) < 0) {
			_exit(EXIT_AIRLOCK);
		}
		ignore_err(sys_execveat(f->paths.log_fd, "", argv, (const char *const *)environ,
					AT_EMPTY_PATH), "every reading verb catches up by itself");
		_exit(EXIT_AIRLOCK);
	}
}

static void
print_plan(struct front *f)
{
	const struct plan *p = f->plan;

	dprintf(STDOUT_FILENO, "profile   %s (%s)\nprogram   %s\ndirectory %s\nids       %u:%u inside, %u:%u outside\n",
		f->profile->name, f->profile->source, p->exe, p->cwd, p->uid_inside, p->gid_inside,
		p->uid_outside, p->gid_outside);
	for (size_t i = 0; i < p->mount_count; i++) {
		const struct plan_mount *m = &p->mounts[i];

		dprintf(STDOUT_FILENO, "%-9s %s%s%s%s\n", plan_mount_kind_name(m->kind), m->target,
			m->source[0] != '\0' && strcmp(m->source, m->target) != 0 ? " <- " : "",
			m->source[0] != '\0' && strcmp(m->source, m->target) != 0 ? m->source : "",
			(m->flags & MOUNT_WRITABLE) != 0 ? " (writable)" : "");
	}
}

static void
clean_up(struct front *f)
{
	jail_handle_finish(&f->jail);
	outcome_finish(&f->outcome);
	if (f->upper_parent_fd >= 0 && !f->outcome.undead) {
		close(f->upper_parent_fd);
		ignore_err(remove_tree(f->scratch_parent_fd, f->req.call_text), "the next sweep removes it");
	}
	cgroup_destroy(&f->cgroup, &f->site);
	cgroup_sweep(&f->site);
	cgroup_site_finish(&f->site);
	relay_finish(&f->relay);
	changes_finish(&f->changes);
	pack_finish(&f->pack);
	start_index(f);
	store_finish(&f->store);
	plan_builder_destroy(f->builder);
	profile_destroy(f->profile);
	arena_finish(&f->arena);
}

int
front_main_run(int argc, char **argv)
{
	struct front f = {
		.err = ERR_INIT, .uid_lock_fd = -1, .cgroup = CGROUP_INIT, .store = STORE_INIT,
		.scratch_parent_fd = -1, .upper_parent_fd = -1, .workspace_clone = -1,
		.jail = JAIL_HANDLE_INIT, .pack = PACK_INIT, .relay = RELAY_INIT, .req = { .workspace_fd = -1, .exe = "" },
	};
	int status;
	int rc;

	outcome_init(&f.outcome);
	rc = front_parse(&f, argc, argv);
	if (rc == -ECANCELED) {
		return 0;
	}
	f.req.argv = f.opt.argv;
	f.req.argc = f.opt.argc;
	if (rc == 0) {
		rc = run_stages(&f, before_claim, ARRAY_LEN(before_claim));
	}
	if (rc == 0 && f.opt.dry_run) {
		f.req.upper_dir = "";
		rc = finish_plan(&f);
		if (rc == 0) {
			print_plan(&f);
			clean_up(&f);
			return 0;
		}
	}
	if (rc == 0) {
		rc = run_stages(&f, launch, ARRAY_LEN(launch));
	}
	if (rc < 0 && f.err.code == 0) {
		f.err.code = rc;
	}
	front_result(&f);
	status = f.exit_status;
	clean_up(&f);
	trace_step("clean up");
	trace_print();
	return status;
}
