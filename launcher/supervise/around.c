/* SPDX-License-Identifier: Apache-2.0 */
/* Run by the front and by doctor, as the caller. See docs/operations.md, "In a container". */
#include "around.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../base/limits.h"
#include "../sys/sys.h"

static bool
is_set(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && value[0] != '\0';
}

static enum around_container
find_container(void)
{
	return access("/run/.containerenv", F_OK) == 0 ? AROUND_PODMAN
	     : access("/.dockerenv", F_OK) == 0	       ? AROUND_DOCKER
	     : is_set("KUBERNETES_SERVICE_HOST")       ? AROUND_KUBERNETES
	     : is_set("container")		       ? AROUND_CONTAINER
						       : AROUND_NO_CONTAINER;
}

static bool
file_has(const char *path, const char *text)
{
	auto_buf bytes = BUF_INIT;

	return fdio_slurp_at(AT_FDCWD, path, CAP_PROC_FILE, &bytes) == 0 &&
	       strstr(buf_text(&bytes), text) != NULL;
}

void
around_find(struct around *ret)
{
	struct sys_caps caps;

	*ret = (struct around){
		.container = find_container(),
		.is_filtered = file_has("/proc/self/status", "\nSeccomp:\t2"),
		.is_masked = file_has("/proc/self/mountinfo", " /proc/kcore ") ||
			     file_has("/proc/self/mountinfo", " /proc/keys "),
		.is_apparmor = file_has("/proc/self/attr/current", " (enforce)"),
		.lacks_admin = geteuid() == 0 && sys_caps_get(&caps) == 0 &&
			       (caps.effective & (UINT64_C(1) << CAP_SYS_ADMIN)) == 0,
	};
}

static void
put_options(const struct around *a, struct buf *ret, const char *program, const char *unmask)
{
	buf_printf(ret, "%s run --security-opt seccomp=airlock-seccomp.json --security-opt %s%s%s",
		   program, unmask, a->is_apparmor ? " --security-opt apparmor=unconfined" : "",
		   a->lacks_admin ? " --user UID:GID" : "");
}

void
around_command(const struct around *a, struct buf *ret)
{
	switch (a->container) {
	case AROUND_NO_CONTAINER:
		break;
	case AROUND_PODMAN:
		put_options(a, ret, "podman", "unmask=ALL");
		break;
	case AROUND_DOCKER:
	case AROUND_CONTAINER:
		put_options(a, ret, "docker", "systempaths=unconfined");
		break;
	case AROUND_KUBERNETES:
		buf_printf(ret,
			   "hostUsers: false, securityContext: {seccompProfile: {type: Localhost, "
			   "localhostProfile: airlock-seccomp.json}, procMount: Unmasked%s%s}",
			   a->is_apparmor ? ", appArmorProfile: {type: Unconfined}" : "",
			   a->lacks_admin ? ", runAsUser: UID" : "");
		break;
	}
}

int
around_explain(struct err *err, int code)
{
	struct around a;
	auto_buf command = BUF_INIT;
	size_t len;

	if (err == NULL || (code != -EPERM && code != -EACCES && code != -ENOSYS)) {
		return code;
	}
	around_find(&a);
	around_command(&a, &command);
	len = strlen(err->text);
	if (command.len > 0 && (a.is_filtered || a.is_masked || a.lacks_admin)) {
		snprintf(err->text + len, sizeof(err->text) - len,
			 "; in a container, start it with: %s (the file is in airlock's "
			 "share/airlock)",
			 buf_text(&command));
	} else if (a.is_filtered) {
		snprintf(err->text + len, sizeof(err->text) - len,
			 "; a seccomp filter is around airlock, as RestrictNamespaces= and "
			 "SystemCallFilter= of systemd make one: `airlock doctor` says what it "
			 "refuses");
	}
	return code;
}
