/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the front: puts the plan together. The rows here are the sandbox's skeleton, the same for
 * every profile.
 */
#include "plan_build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "plan_build_internal.h"

#define PAGE 4096u
#define ROOT_BYTES (64u << 20) /* directories, links, made-up files, copied single files */

/* makedev(3) of small numbers; glibc's is a function and no constant. */
#define DEVICE(major, minor) ((major) << 8 | (minor))

static const struct plan_mount skeleton[] = {
	/* clang-format off */
	{ .kind = MOUNT_NODE, .target = "/dev/null",    .source = "/dev/null",    .device = DEVICE(1, 3) },
	{ .kind = MOUNT_NODE, .target = "/dev/zero",    .source = "/dev/zero",    .device = DEVICE(1, 5) },
	{ .kind = MOUNT_NODE, .target = "/dev/full",    .source = "/dev/full",    .device = DEVICE(1, 7) },
	{ .kind = MOUNT_NODE, .target = "/dev/random",  .source = "/dev/random",  .device = DEVICE(1, 8) },
	{ .kind = MOUNT_NODE, .target = "/dev/urandom", .source = "/dev/urandom", .device = DEVICE(1, 9) },
	{ .kind = MOUNT_PTS,  .target = "/dev/pts",     .source = "" },
	{ .kind = MOUNT_SYMLINK, .target = "/dev/ptmx",   .source = "pts/ptmx" },
	{ .kind = MOUNT_SYMLINK, .target = "/dev/fd",     .source = "/proc/self/fd" },
	{ .kind = MOUNT_SYMLINK, .target = "/dev/stdin",  .source = "/proc/self/fd/0" },
	{ .kind = MOUNT_SYMLINK, .target = "/dev/stdout", .source = "/proc/self/fd/1" },
	{ .kind = MOUNT_SYMLINK, .target = "/dev/stderr", .source = "/proc/self/fd/2" },
	{ .kind = MOUNT_PROC, .target = "/proc", .source = "", .flags = MOUNT_WRITABLE | MOUNT_NOEXEC },
	{ .kind = MOUNT_SCRATCH, .target = "/tmp", .source = "tmp", .mode = 01777, .flags = MOUNT_WRITABLE },
	{ .kind = MOUNT_SCRATCH, .target = "/dev/shm", .source = "shm", .mode = 01777,
	  .flags = MOUNT_WRITABLE | MOUNT_NOEXEC },
	{ .kind = MOUNT_DIR,  .target = "/run", .source = "", .mode = 0755 },
	{ .kind = MOUNT_DIR,  .target = "/var", .source = "", .mode = 0755 },
	{ .kind = MOUNT_SYMLINK, .target = "/var/tmp", .source = "/tmp" },
	/* clang-format on */
};

/* With a terminal only: what it opens as is the controlling terminal of who opens it. */
static const struct plan_mount terminal_row[] = {
	{ .kind = MOUNT_NODE, .target = "/dev/tty", .source = "/dev/tty", .device = DEVICE(5, 0) },
};

/*
 * Parts of /proc that tell of the host or change it. The ones that this kernel lacks make no row.
 */
static const struct plan_mount proc_masks[] = {
	/* clang-format off */
	{ .kind = MOUNT_MASK_FILE, .target = "/proc/kcore" },
	{ .kind = MOUNT_MASK_FILE, .target = "/proc/kallsyms" },
	{ .kind = MOUNT_MASK_FILE, .target = "/proc/keys" },
	{ .kind = MOUNT_MASK_FILE, .target = "/proc/key-users" },
	{ .kind = MOUNT_MASK_FILE, .target = "/proc/kmsg" },
	{ .kind = MOUNT_MASK_FILE, .target = "/proc/kpagecount" },
	{ .kind = MOUNT_MASK_FILE, .target = "/proc/kpageflags" },
	{ .kind = MOUNT_MASK_FILE, .target = "/proc/kpagecgroup" },
	{ .kind = MOUNT_MASK_FILE, .target = "/proc/latency_stats" },
	{ .kind = MOUNT_MASK_FILE, .target = "/proc/sched_debug" },
	{ .kind = MOUNT_MASK_FILE, .target = "/proc/slabinfo" },
	{ .kind = MOUNT_MASK_FILE, .target = "/proc/sysrq-trigger" },
	{ .kind = MOUNT_MASK_FILE, .target = "/proc/timer_list" },
	{ .kind = MOUNT_MASK_FILE, .target = "/proc/vmallocinfo" },
	{ .kind = MOUNT_MASK_DIR,  .target = "/proc/acpi" },
	{ .kind = MOUNT_MASK_DIR,  .target = "/proc/scsi" },
	{ .kind = MOUNT_READONLY,  .target = "/proc/bus" },
	{ .kind = MOUNT_READONLY,  .target = "/proc/fs" },
	{ .kind = MOUNT_READONLY,  .target = "/proc/irq" },
	{ .kind = MOUNT_READONLY,  .target = "/proc/sys" },
	/* clang-format on */
};

int
plan_row(struct plan_builder *b, struct plan_mount row)
{
	struct plan *p = &b->plan;

	if (p->mount_count == b->mount_room) {
		size_t room = b->mount_room == 0 ? 128 : b->mount_room * 2;
		struct plan_mount *grown = arena_alloc(&b->arena, room * sizeof(*grown));

		if (grown == NULL) {
			return -ENOMEM;
		}
		if (p->mount_count > 0) {
			memcpy(grown, p->mounts, p->mount_count * sizeof(*grown));
		}
		p->mounts = grown;
		b->mount_room = room;
	}
	p->mounts[p->mount_count++] = row;
	return 0;
}

static int
add_table(struct plan_builder *b, const struct plan_mount *rows, size_t count, bool when_present,
	  struct err *err)
{
	struct stat st;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < count; i++) {
		struct plan_mount row = rows[i];

		if (when_present && lstat(row.target, &st) < 0) {
			if (errno != ENOENT && errno != ENOTDIR) {
				/* it may well be there, and then it must be masked */
				return err_sys(err, -errno, "look for %s", row.target);
			}
			continue;
		}
		if (row.source == NULL) {
			row.source = "";
		}
		if (row.kind == MOUNT_MASK_DIR || row.kind == MOUNT_READONLY) {
			row.flags |= MOUNT_NOEXEC;
		}
		rc = plan_row(b, row);
	}
	return rc;
}

/*
 * A mount must come after every mount that its target lies on. Stable, so that a LAYER stays before
 * its PARTs; plain insertion, because the rows are few and nearly sorted.
 */
static void
sort_rows(struct plan *p)
{
	for (size_t i = 1; i < p->mount_count; i++) {
		struct plan_mount row = p->mounts[i];
		size_t at = i;

		for (; at > 0 && plan_path_order(p->mounts[at - 1].target, row.target) > 0; at--) {
			p->mounts[at] = p->mounts[at - 1];
		}
		p->mounts[at] = row;
	}
}

static int
find_hidden_mounts(struct plan_builder *b)
{
	const char *workspace = b->request->workspace;

	b->hidden = arena_alloc(&b->arena, (b->mounts.count + 1) * sizeof(*b->hidden));
	if (b->hidden == NULL) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < b->mounts.count; i++) {
		const char *point = b->mounts.items[i].point;

		if (plan_covers(workspace, point) && strcmp(workspace, point) != 0) {
			b->hidden[b->hidden_count++] = point;
		}
	}
	return 0;
}

bool
plan_has_credential_files(const struct request *r)
{
	for (size_t i = 0; i < r->credential_count; i++) {
		if (r->credentials[i].delivery == DELIVERY_FILE ||
		    r->credentials[i].delivery == DELIVERY_SSH_AGENT) {
			return true;
		}
	}
	return false;
}

/* Without any of them there is no directory. */
static int
add_credentials(struct plan_builder *b, struct err *err)
{
	const struct request *r = b->request;
	const struct plan_mount row = { .kind = MOUNT_CREDENTIALS,
					.target = CREDENTIALS_INSIDE,
					.source = "",
					.flags = MOUNT_NOEXEC };
	int rc = plan_has_credential_files(r) ? plan_row(b, row) : 0;

	return rc < 0 ? err_sys(err, rc, "%s", row.target) : 0;
}

static int
add_home_and_workspace(struct plan_builder *b, struct err *err)
{
	const struct request *r = b->request;
	bool refuse = r->mode == MODE_OBSERVE && b->profile->observe_writes == OBSERVE_REFUSE;
	int rc = find_hidden_mounts(b);

	/*
	 * A clone that was made outside leaves them behind; in a user namespace the kernel does not
	 * let us.
	 */
	if (rc == 0 && b->hidden_count > 0 && !r->workspace_clone && !r->snapshot) {
		return err_set(
			err, -EBUSY,
			"%s is a mount inside the workspace: the kernel does not let an "
			"unprivileged overlay hide it; unmount it or choose a workspace without "
			"mounts inside",
			b->hidden[0]);
	}
	if (rc == 0) {
		rc = plan_row(b, (struct plan_mount){ .kind = MOUNT_SCRATCH,
						      .source = "home",
						      .mode = 0700,
						      .target = r->identity.home,
						      .flags = MOUNT_WRITABLE });
	}
	if (rc == 0) {
		rc = plan_row(b, (struct plan_mount){ .kind = MOUNT_WORKSPACE, .source = "",
						      .target = r->workspace,
						      .flags = refuse ? 0 : MOUNT_WRITABLE });
	}
	b->plan.flags |= refuse ? PLAN_WORKSPACE_RO : 0;
	return rc < 0 ? err_sys(err, rc, "home and workspace") : 0;
}

static int
add_inspector(struct plan_builder *b)
{
	const char *own = b->request->inspector;

	return own == NULL ? 0
			   : plan_row(b, (struct plan_mount){ .kind = MOUNT_COPY,
							      .mode = 0555,
							      .target = INSPECTOR_INSIDE,
							      .source = own });
}

int
plan_builder_create(const struct profile *profile, const struct request *request,
		    struct plan_builder **ret, struct err *err)
{
	struct plan_builder *b = calloc(1, sizeof(*b));
	int rc;

	if (b == NULL) {
		return err_set(err, -ENOMEM, "out of memory");
	}
	b->profile = profile;
	b->request = request;
	rc = mount_table_read("/proc/self/mountinfo", &b->mounts);
	if (rc < 0) {
		err_sys(err, rc, "read /proc/self/mountinfo");
	}
	if (rc == 0) {
		rc = add_table(b, skeleton, ARRAY_LEN(skeleton), false, err);
	}
	if (rc == 0 && request->terminal) {
		rc = add_table(b, terminal_row, ARRAY_LEN(terminal_row), false, err);
	}
	if (rc == 0) {
		rc = add_table(b, proc_masks, ARRAY_LEN(proc_masks), true, err);
	}
	if (rc == 0) {
		rc = plan_add_reads(b, err);
	}
	if (rc == 0) {
		rc = plan_add_synthetic(b, err);
	}
	if (rc == 0) {
		rc = add_home_and_workspace(b, err);
	}
	if (rc == 0) {
		rc = add_credentials(b, err);
	}
	if (rc == 0) {
		rc = add_inspector(b);
	}
	if (rc == 0) {
		rc = plan_add_git(b, err);
	}
	if (rc == 0) {
		rc = plan_add_writes(b, err);
	}
	if (rc == 0) {
		rc = plan_add_caches(b, err);
	}
	if (rc == 0) {
		rc = plan_add_hidden(b, err);
	}
	if (rc == 0) {
		rc = plan_add_worktree(b, err);
	}
	if (rc < 0) {
		plan_builder_destroy(b);
		return rc;
	}
	sort_rows(&b->plan);
	*ret = b;
	return 0;
}

/* What is made in the call's tmpfs before the tool starts is not the tool's either. */
static void
add_own_room(struct plan *p)
{
	for (size_t i = 0; i < p->mount_count; i++) {
		const struct plan_mount *row = &p->mounts[i];
		const char *rest = NULL;

		for (size_t j = 0; j < i; j++) {
			const struct plan_mount *above = &p->mounts[j];

			if (above->kind == MOUNT_SCRATCH &&
			    plan_covers(above->target, row->target)) {
				rest = row->target + strlen(above->target);
			}
		}
		for (; rest != NULL && *rest != '\0'; rest++) {
			p->scratch_inodes += *rest == '/';
		}
		if (rest != NULL && row->kind == MOUNT_FILE) {
			p->scratch_bytes += (row->data_len + PAGE - 1) / PAGE * PAGE;
		}
	}
}

static void
copy_request(struct plan_builder *b)
{
	const struct request *r = b->request;
	const struct identity *id = &r->identity;
	struct plan *p = &b->plan;

	p->call = r->call_text;
	p->hostname = "airlock";
	p->exe = r->exe;
	p->cwd = r->cwd;
	p->workspace = r->workspace;
	p->lower_dir = r->lower_dir;
	p->lower_dev = r->lower_dev;
	p->lower_ino = r->lower_ino;
	p->draft_dir = r->draft_dir != NULL ? r->draft_dir : "";
	p->layers = (struct plan_layer *)(uintptr_t)r->layers;
	p->layer_count = r->layer_count;
	p->upper_dir = r->upper_dir;
	p->upper_dev = r->upper_dev;
	p->upper_ino = r->upper_ino;
	p->uid_inside = id->uid_inside;
	p->gid_inside = id->gid_inside;
	p->uid_outside = id->uid_outside;
	p->gid_outside = id->gid_outside;
	p->scratch_bytes = r->limits.disk_bytes;
	p->scratch_inodes = r->limits.files + 16; /* our own directories are not the tool's */
	add_own_room(p);
	p->root_bytes = ROOT_BYTES;
	p->argv = (const char **)(uintptr_t)r->argv;
	p->argc = r->argc;
	p->envp = (const char **)(uintptr_t)r->envp;
	p->envc = r->envc;
	p->groups = (uint32_t *)(uintptr_t)id->groups;
	p->group_count = id->group_count;
	p->credentials = (struct plan_credential *)(uintptr_t)r->credentials;
	p->credential_count = r->credential_count;
	p->filter = b->profile->filter;
	p->filter_len = b->profile->filter_len;
	p->init_filter = b->profile->init_filter;
	p->init_filter_len = b->profile->init_filter_len;
}

int
plan_builder_finish(struct plan_builder *b, const struct plan **ret_plan, struct err *err)
{
	const struct request *r = b->request;
	struct plan *p = &b->plan;
	int rc;

	copy_request(b);
	p->flags |= r->identity.kind == IDENTITY_PLAIN ? PLAN_MAP_SELF : PLAN_DROP_GROUPS;
	p->flags |= b->profile->loopback ? PLAN_LOOPBACK : 0;
	p->flags |= (r->degraded & DEGRADE_NOTIFY) == 0 ? PLAN_NOTIFY : 0;
	p->flags |= r->workspace_clone ? PLAN_WORKSPACE_FD : 0;
	p->flags |= r->upper_clone ? PLAN_UPPER_FD : 0;
	p->flags |= r->draft_clone ? PLAN_DRAFT_FD : 0;
	p->flags |= r->terminal ? PLAN_TERMINAL : 0;
	p->fd_first_free = JAIL_FD_WORKSPACE + r->workspace_clone + r->upper_clone +
			   r->draft_clone + (uint32_t)p->credential_count;
	rc = plan_add_landlock(b, err);
	if (rc == 0) {
		rc = plan_add_rlimits(b, err);
	}
	if (rc < 0) {
		return rc;
	}
	*ret_plan = p;
	return 0;
}

void
plan_builder_destroy(struct plan_builder *b)
{
	if (b != NULL) {
		mount_table_finish(&b->mounts);
		arena_finish(&b->arena);
		free(b);
	}
}

size_t
plan_hidden_mounts(const struct plan_builder *b, const char *const **ret_points)
{
	*ret_points = b->hidden;
	return b->hidden_count;
}
