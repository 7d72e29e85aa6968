/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. How a container has to be started, by who made it. */
#include <criterion/criterion.h>
#include <errno.h>

#include "../../../launcher/supervise/around.h"

Test(around, a_command_for_each_container)
{
	static const struct {
		struct around around;
		const char *command;
	} rows[] = {
		{ { .container = AROUND_NO_CONTAINER, .is_filtered = true }, "" },
		{ { .container = AROUND_DOCKER },
		  "docker run --security-opt seccomp=airlock-seccomp.json "
		  "--security-opt systempaths=unconfined" },
		{ { .container = AROUND_CONTAINER, .lacks_admin = true },
		  "docker run --security-opt seccomp=airlock-seccomp.json "
		  "--security-opt systempaths=unconfined --user UID:GID" },
		{ { .container = AROUND_PODMAN, .is_apparmor = true },
		  "podman run --security-opt seccomp=airlock-seccomp.json "
		  "--security-opt unmask=ALL --security-opt apparmor=unconfined" },
		{ { .container = AROUND_KUBERNETES },
		  "hostUsers: false, securityContext: {seccompProfile: {type: Localhost, "
		  "localhostProfile: airlock-seccomp.json}, procMount: Unmasked}" },
		{ { .container = AROUND_KUBERNETES, .is_apparmor = true, .lacks_admin = true },
		  "hostUsers: false, securityContext: {seccompProfile: {type: Localhost, "
		  "localhostProfile: airlock-seccomp.json}, procMount: Unmasked, "
		  "appArmorProfile: {type: Unconfined}, runAsUser: UID}" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		auto_buf command = BUF_INIT;

		around_command(&rows[i].around, &command);
		cr_expect_str_eq(buf_text(&command), rows[i].command);
	}
}

/* What no container and no filter gives is left as it is; nobody need want the text. */
Test(around, explains_only_what_they_refuse)
{
	static const int others[] = { 0, -ENOENT, -EINVAL, -ENOMEM, -ELOOP, -EBUSY };

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct err err = ERR_INIT;

		err_set(&err, others[i], "as it was");
		cr_expect_eq(around_explain(&err, others[i]), others[i]);
		cr_expect_str_eq(err.text, "as it was");
	}
	cr_expect_eq(around_explain(NULL, -EPERM), -EPERM);
}

Test(around, a_container_that_says_so)
{
	struct err err = ERR_INIT;
	struct around around;

	setenv("container", "oci", 1);
	around_find(&around);
	cr_expect_neq(around.container, AROUND_NO_CONTAINER);
	err_set(&err, -EPERM, "clone3");
	cr_expect_eq(around_explain(&err, -EPERM), -EPERM);
	if (around.is_filtered || around.is_masked || around.lacks_admin) {
		cr_expect_not_null(strstr(err.text, "clone3; in a container, start it with: "));
	} else {
		cr_expect_str_eq(err.text, "clone3"); /* a container would not be why */
	}
}
