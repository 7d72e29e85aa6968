/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the front: the second layer (Landlock), rlimits, and the files that are made up for a
 * sandbox.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "plan_build_internal.h"

/* Rights by the ABI that brought them; landlock(7). */
#define LL_REFER (UINT64_C(1) << 13)      /* ABI 2 */
#define LL_TRUNCATE (UINT64_C(1) << 14)   /* ABI 3 */
#define LL_IOCTL_DEV (UINT64_C(1) << 15)  /* ABI 5 */
#define LL_FS_ABI1 ((UINT64_C(1) << 13) - 1)
#define LL_TCP UINT64_C(3)                /* ABI 4: bind and connect */
#define LL_SCOPES UINT64_C(3)             /* ABI 6: abstract unix sockets and signals */

#define LL_READ                                                                                    \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define LL_FILE_RIGHTS                                                                             \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |                               \
	 LANDLOCK_ACCESS_FS_WRITE_FILE | LL_TRUNCATE | LL_IOCTL_DEV)

#define LOCALTIME_MAX 65536u
#define FSIZE_SLACK 65536u
#define SIGNALS_QUEUED 4096u

static int
add_rule(struct plan_builder *b, const char *path, uint64_t access)
{
	struct plan *p = &b->plan;

	p->rules[p->rule_count++] = (struct plan_rule){ .path = path,
							.access = access & p->landlock_fs };
	return 0;
}

/*
 * Directories may be listed everywhere (the mounts are what can be seen at all); files are readable
 * below the read paths, writable where the call may write.
 */
int
plan_add_landlock(struct plan_builder *b, struct err *err)
{
	struct plan *p = &b->plan;
	const struct request *r = b->request;
	const uint64_t device = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE |
				LANDLOCK_ACCESS_FS_READ_DIR | LL_TRUNCATE | LL_IOCTL_DEV;
	const uint64_t all = ~UINT64_C(0);

	if (r->landlock_abi == 0) {
		return 0;
	}
	p->landlock_abi = (uint32_t)r->landlock_abi;
	p->landlock_fs = LL_FS_ABI1 | LL_REFER | (r->landlock_abi >= 3 ? LL_TRUNCATE : 0) |
			 (r->landlock_abi >= 5 ? LL_IOCTL_DEV : 0);
	p->landlock_net = r->landlock_abi >= 4 && !b->profile->loopback ? LL_TCP : 0;
	p->landlock_scoped = r->landlock_abi >= 6 ? LL_SCOPES : 0;
	p->rules = arena_alloc(&b->arena, (b->read_count + b->profile->write.count +
						 b->profile->cache_count + 11) *
						  sizeof(*p->rules));
	if (p->rules == NULL) {
		return err_set(err, -ENOMEM, "out of memory");
	}
	add_rule(b, "/", LANDLOCK_ACCESS_FS_READ_DIR);
	add_rule(b, "/etc", LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR);
	add_rule(b, "/dev", device);
	add_rule(b, "/proc", LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE |
				     LANDLOCK_ACCESS_FS_READ_DIR | LL_TRUNCATE);
	add_rule(b, "/dev/shm", all);
	add_rule(b, "/tmp", all);
	add_rule(b, r->identity.home, all);
	add_rule(b, r->workspace, p->flags & PLAN_WORKSPACE_RO ? LL_READ : all);
	if (plan_has_credential_files(r)) {
		add_rule(b, CREDENTIALS_INSIDE,
			 LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR);
	}
	if (r->inspector != NULL) {
		add_rule(b, INSPECTOR_INSIDE, LL_READ & LL_FILE_RIGHTS);
	}
	if (b->worktree_shown) {
		add_rule(b, WORKTREE_INSIDE,
			 LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR);
	}
	for (size_t i = 0; i < b->profile->write.count; i++) {
		add_rule(b, b->profile->write.items[i].path,
			 r->mode == MODE_APPLY ? all : LL_READ);
	}
	for (size_t i = 0; i < b->profile->cache_count; i++) {
		const struct profile_cache *c = &b->profile->caches[i];
		const uint64_t own = r->mode == MODE_OBSERVE ? LL_READ : all;

		add_rule(b, c->at.path,
			 (c->flags & CACHE_EXEC) != 0 ? own : own & ~LANDLOCK_ACCESS_FS_EXECUTE);
	}
	for (size_t i = 0; i < b->read_count; i++) {
		const struct read_entry *e = &b->reads[i];

		if (e->type != S_IFLNK && !plan_covers("/etc", e->path)) {
			add_rule(b, e->path,
				 e->type == S_IFDIR ? LL_READ : LL_READ & LL_FILE_RIGHTS);
		}
	}
	return 0;
}

static int
add_rlimit(struct plan_builder *b, int resource, uint64_t soft, uint64_t hard)
{
	struct plan *p = &b->plan;
	struct rlimit now;

	if (getrlimit(resource, &now) < 0) {
		return -errno;
	}
	hard = hard < now.rlim_max ? hard : now.rlim_max;
	soft = soft < hard ? soft : hard;
	p->rlimits[p->rlimit_count++] = (struct plan_rlimit){ .resource = (uint32_t)resource,
							      .soft = soft, .hard = hard };
	return 0;
}

/*
 * RLIMIT_NPROC counts per user namespace (Linux 5.14), so it bounds this call alone. RLIMIT_DATA
 * and not RLIMIT_AS: it counts what a process may write privately, where runtimes reserve address
 * space by the terabyte. RLIMIT_FSIZE is a little above the disk limit: who reaches it has passed
 * the limit, and a tmpfs of that size is full (ENOSPC) before the signal comes. RLIMIT_SIGPENDING:
 * what is queued counts for the user above too, whose other programs send airlock signals with a
 * value (a lowered budget), which a full queue refuses.
 */
int
plan_add_rlimits(struct plan_builder *b, struct err *err)
{
	const struct limits *l = &b->request->limits;
	const uint64_t cpu_s = (l->cpu_time_ms + 999) / 1000;
	uint64_t file_bytes;
	int rc;

	if (__builtin_add_overflow(l->disk_bytes, FSIZE_SLACK, &file_bytes)) {
		file_bytes = RLIM_INFINITY;
	}
	b->plan.rlimits = arena_alloc(&b->arena, 9 * sizeof(*b->plan.rlimits));
	if (b->plan.rlimits == NULL) {
		return err_set(err, -ENOMEM, "out of memory");
	}
	rc = add_rlimit(b, RLIMIT_NOFILE, l->open_files, l->open_files);
	if (rc == 0) {
		rc = add_rlimit(b, RLIMIT_CPU, cpu_s, cpu_s + 1);
	}
	if (rc == 0) {
		rc = add_rlimit(b, RLIMIT_CORE, 1, 1);
	}
	if (rc == 0) {
		rc = add_rlimit(b, RLIMIT_RTPRIO, 0, 0);
	}
	if (rc == 0) {
		rc = add_rlimit(b, RLIMIT_MEMLOCK, 8u << 20, 8u << 20);
	}
	if (rc == 0) {
		rc = add_rlimit(b, RLIMIT_SIGPENDING, SIGNALS_QUEUED, SIGNALS_QUEUED);
	}
	if (rc == 0 && b->request->upper_dir[0] != '\0') {
		rc = add_rlimit(b, RLIMIT_FSIZE, file_bytes, file_bytes);
	}
	if (rc == 0 && (b->request->degraded & DEGRADE_CGROUP_PIDS) != 0) {
		rc = add_rlimit(b, RLIMIT_NPROC, l->pids, l->pids);
	}
	if (rc == 0 && (b->request->degraded & DEGRADE_CGROUP_MEMORY) != 0) {
		rc = add_rlimit(b, RLIMIT_DATA, l->memory_bytes, l->memory_bytes);
	}
	return rc < 0 ? err_sys(err, rc, "read the caller's rlimits") : 0;
}

static const char *const made_up[] = {
	"/etc/passwd", "/etc/group", "/etc/hostname", "/etc/hosts", "/etc/localtime",
	"/etc/nsswitch.conf", "/etc/resolv.conf", "/var/tmp",
};

bool
plan_made_up(const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(made_up); i++) {
		if (strcmp(made_up[i], path) == 0) {
			return true;
		}
	}
	return false;
}

bool
plan_made_up_below(const char *dir)
{
	for (size_t i = 0; i < ARRAY_LEN(made_up); i++) {
		if (plan_covers(dir, made_up[i])) {
			return true;
		}
	}
	return false;
}

static int
add_file(struct plan_builder *b, const char *path, const char *text)
{
	return plan_row(b, (struct plan_mount){ .kind = MOUNT_FILE, .mode = 0444, .target = path,
						.source = "", .data = (const uint8_t *)text,
						.data_len = strlen(text) });
}

static int
add_localtime(struct plan_builder *b)
{
	auto_buf zone = BUF_INIT;
	void *copy;

	if (fdio_slurp_at(AT_FDCWD, "/etc/localtime", LOCALTIME_MAX, &zone) < 0) {
		return 0; /* no zone is UTC, as on the host */
	}
	copy = arena_copy(&b->arena, zone.data, zone.len);
	return copy == NULL ? -ENOMEM
			    : plan_row(b, (struct plan_mount){ .kind = MOUNT_FILE,
							       .mode = 0444,
							       .target = "/etc/localtime",
							       .source = "",
							       .data = copy,
							       .data_len = zone.len });
}

/* The caller's account and nobody else's; names that resolve without a name server. */
int
plan_add_synthetic(struct plan_builder *b, struct err *err)
{
	const struct identity *id = &b->request->identity;
	char *passwd = arena_printf(&b->arena,
				    "root:x:0:0:root:/root:/usr/sbin/nologin\n"
				    "%s:x:%u:%u::%s:%s\n"
				    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
				    id->user, (unsigned int)id->uid_inside,
				    (unsigned int)id->gid_inside, id->home, id->shell);
	char *group = arena_printf(&b->arena, "root:x:0:\n%s:x:%u:\nnogroup:x:65534:\n", id->user,
				   (unsigned int)id->gid_inside);
	const struct {
		const char *path, *text;
	} files[] = {
		{ "/etc/passwd", passwd },
		{ "/etc/group", group },
		{ "/etc/hostname", "airlock\n" },
		{ "/etc/hosts", "127.0.0.1 localhost airlock\n::1 localhost ip6-localhost\n" },
		{ "/etc/nsswitch.conf",
		  "passwd: files\ngroup: files\nhosts: files\nservices: files\n"
		  "protocols: files\nrpc: files\n" },
		{ "/etc/resolv.conf", "# no name server: this call has no network\n" },
	};
	int rc = passwd == NULL || group == NULL ? -ENOMEM : add_localtime(b);

	for (size_t i = 0; rc == 0 && i < ARRAY_LEN(files); i++) {
		rc = add_file(b, files[i].path, files[i].text);
	}
	return rc < 0 ? err_sys(err, rc, "files of /etc") : 0;
}
