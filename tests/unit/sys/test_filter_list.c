/* SPDX-License-Identifier: Apache-2.0 */
/* Filters of our helper programs, loaded in a child: run as the developer or CI. */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../../launcher/sys/filter_list.h"
#include "../../../launcher/sys/sys.h"

/* All but getppid pass. How a child ends that makes this call under it. */
static int
ends(long nr)
{
	static const struct sock_filter filter[] = {
		FILTER_LIST_HEAD,
		FILTER_LIST_CALL(SYS_getppid, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		struct sigaction fatal = { .sa_handler = SIG_DFL };

		sigaction(SIGSYS, &fatal, NULL);
		if (sys_no_new_privs() < 0 ||
		    sys_seccomp_load(filter, sizeof(filter) / sizeof(filter[0]), 0) < 0) {
			_exit(125);
		}
		_exit(syscall(nr) < 0 ? errno : 0);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

Test(filter_list, each_call_gets_its_verdict)
{
	cr_expect_eq(ends(SYS_getppid), EPERM);
	cr_expect_eq(ends(SYS_getuid), 0);
}

#if defined(__x86_64__)
/* They have this architecture's word and numbers of their own, which no list names. */
Test(filter_list, x32_is_another_architecture)
{
	cr_expect_eq(ends(0x40000000 | SYS_getppid), -SIGSYS);
}
#endif
