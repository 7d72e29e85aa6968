/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which airlock on which kernel wrote a record. Runs in the front and in airlock-log, as the
 * caller.
 */
#include <fcntl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "../base/fdio.h"
#include "../base/limits.h"
#include "store.h"

void
store_put_node(struct json *j)
{
	auto_buf boot = BUF_INIT;
	struct utsname host = { 0 };
	int rc = fdio_slurp_at(AT_FDCWD, "/proc/sys/kernel/random/boot_id", CAP_PROC_FILE, &boot);

	ignore_err(uname(&host), "it cannot fail with a good pointer");
	json_begin_object(j);
	json_kv_str(j, "airlock", AIRLOCK_VERSION);
	json_key(j, "boot_id");
	json_bytes(j, buf_text(&boot), rc < 0 || boot.len < 1 ? 0 : boot.len - 1);
	json_kv_str(j, "kernel", host.release);
	json_end(j);
}

void
store_put_actor(struct json *j)
{
	json_begin_object(j);
	json_kv_uint(j, "gid", getegid());
	json_kv_uint(j, "uid", geteuid());
	json_end(j);
}
