/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs diff(1) over two contents. Runs in airlock-cli as the caller; the contents are the tool's,
 * so diff gets them by descriptor, gets nothing else, and cannot run on for ever.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../base/text.h"
#include "../sys/sys.h"
#include "view_diff.h"

#define DIFF_PROGRAM "/usr/bin/diff"
#define DIFF_OUTPUT_MAX ((size_t)5 * DIFF_FILE_MAX) /* all lines, signs, hunks */
#define DIFF_SECONDS 5u /* of CPU: what a person wrote takes none of them */
#define DIFF_MEMORY (1u << 30)
#define EXIT_NO_PROGRAM 127

static void
bound(int resource, rlim_t value)
{
	const struct rlimit limit = { value, value };

	if (setrlimit(resource, &limit) < 0) {
		_exit(EXIT_NO_PROGRAM);
	}
}

static void __attribute__((noreturn)) become_diff(int before, int after, int out)
{
	char first[40], second[40];
	char *const argv[] = { "diff",	"-a", "-u",  "--label", "before", "--label",
			       "after", "--", first, second,	NULL };
	char *const envp[] = { "LC_ALL=C", NULL };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	snprintf(first, sizeof(first), "/proc/self/fd/%d", before);
	snprintf(second, sizeof(second), "/proc/self/fd/%d", after);
	bound(RLIMIT_CPU, DIFF_SECONDS);
	bound(RLIMIT_AS, DIFF_MEMORY);
	bound(RLIMIT_FSIZE, 0);
	bound(RLIMIT_CORE, 0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && fcntl(before, F_SETFD, 0) == 0 &&
	    fcntl(after, F_SETFD, 0) == 0 && dup2(null, 0) == 0 && dup2(out, 1) == 1 &&
	    dup2(null, 2) == 2) {
		execve(DIFF_PROGRAM, argv, envp);
	}
	_exit(EXIT_NO_PROGRAM);
}

static int
ended(int status, struct err *err)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) <= 1) {
		return 0;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_NO_PROGRAM) {
		return err_set(err, -ENOENT, "%s cannot be run (package diffutils)", DIFF_PROGRAM);
	}
	if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL)) {
		return err_set(err, -ETIMEDOUT, "%s had no answer after %u s", DIFF_PROGRAM,
			       DIFF_SECONDS);
	}
	return err_set(err, -EIO, "%s failed", DIFF_PROGRAM);
}

/* Behind the two lines that name the files. */
static void
put_hunks(const struct buf *said, struct buf *out)
{
	const char *p = buf_text(said);

	for (int i = 0; i < 2; i++) {
		const char *newline = strchr(p, '\n');

		p = newline != NULL ? newline + 1 : p + strlen(p);
	}
	buf_put(out, p, said->len - (size_t)(p - buf_text(said)));
}

int
diff_run(const struct buf *before, const struct buf *after, struct buf *out, struct err *err)
{
	auto_fd first = sys_memfd_sealed("before", before->data, before->len);
	auto_fd second = sys_memfd_sealed("after", after->data, after->len);
	auto_buf said = BUF_INIT;
	int pipes[2] = { -1, -1 }, status = 0, rc;
	pid_t pid;

	if (first < 0 || second < 0) {
		return err_sys(err, first < 0 ? first : second, "compare two texts");
	}
	if (pipe2(pipes, O_CLOEXEC) < 0) {
		return err_sys(err, -errno, "compare two texts");
	}
	pid = fork();
	if (pid == 0) {
		become_diff(first, second, pipes[1]);
	}
	close(pipes[1]);
	rc = pid < 0 ? -errno : fdio_slurp(pipes[0], DIFF_OUTPUT_MAX, &said);
	close(pipes[0]);
	/* with nobody to read it ends by itself: SIGPIPE */
	if (pid > 0) {
		int waited = sys_wait(pid, &status);

		rc = rc < 0 ? rc : waited;
	}
	if (rc < 0) {
		return err_sys(err, rc, "%s", DIFF_PROGRAM);
	}
	rc = ended(status, err);
	if (rc == 0) {
		put_hunks(&said, out);
		rc = buf_error(out);
	}
	return rc;
}

bool
diff_is_text(const struct buf *content)
{
	size_t odd = 0;

	for (size_t i = 0; i < content->len;) {
		uint8_t c = content->data[i];
		size_t n = text_utf8(content->data + i, content->len - i, NULL);

		if (c == '\0') {
			return false;
		}
		odd += n == 0 || (c < ' ' && strchr("\b\t\n\f\r\033", c) == NULL) ? 1 : 0;
		i += n > 0 ? n : 1;
	}
	return odd <= content->len / 10;
}

void
diff_whole(const struct buf *content, char sign, struct buf *out)
{
	const char *p = buf_text(content), *end = p + content->len;
	uint64_t lines = 0;
	auto_buf text = BUF_INIT;

	for (; p < end; lines++) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		const char *next = newline != NULL ? newline : end;

		buf_putc(&text, sign);
		buf_put(&text, p, (size_t)(next - p));
		buf_puts(&text, newline != NULL ? "\n" : "\n\\ No newline at end of file\n");
		p = newline != NULL ? newline + 1 : end;
	}
	if (lines == 1) {
		buf_puts(out, sign == '+' ? "@@ -0,0 +1 @@\n" : "@@ -1 +0,0 @@\n");
	} else if (lines > 1) {
		buf_printf(out, sign == '+' ? "@@ -0,0 +1,%llu @@\n" : "@@ -1,%llu +0,0 @@\n",
			   (unsigned long long)lines);
	}
	buf_put(out, text.data, text.len);
}

uint64_t
diff_count(const struct buf *lines, char sign)
{
	const char *p = buf_text(lines), *end = p + lines->len;
	uint64_t count = 0;

	while (p < end) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));

		count += *p == sign ? 1 : 0;
		p = newline != NULL ? newline + 1 : end;
	}
	return count;
}
