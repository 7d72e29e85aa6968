/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs as the developer or CI. Which calls under way are meant; fronts are processes that hold a
 * file.
 */
#include <signal.h>
#include <sys/wait.h>

#include "../../../launcher/cli/control.h"
#include "../store/store_temp.h"

#define CALL_A "01890a5d-ac96-774b-bcce-b302099a8057"
#define CALL_B "01890a5d-ac96-774b-bcce-b302099a8058"
#define CALL_C "01890a5d-ac96-774b-bcce-b302099a8059"
#define FLOW_1 "01890a5d-ac96-774b-bcce-b302099a8001"
#define FLOW_2 "01890a5d-ac96-774b-bcce-b302099a8002"

/* Ends by the signal that it holds its call until; 0 where it came from `airlock stop`. */
static void __attribute__((noreturn)) hold(const struct store *s, struct running_call *c, int out)
{
	struct err err = ERR_INIT;
	siginfo_t info;
	sigset_t set;
	int fd = -1;

	sigemptyset(&set);
	sigaddset(&set, RUNNING_SIGNAL_KILL);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (running_self(c) < 0 || running_enter(s, c, &fd, &err) < 0 || write(out, "", 1) != 1 ||
	    sigwaitinfo(&set, &info) < 0) {
		_exit(1);
	}
	running_leave(s, c->call_text, &fd);
	_exit(info.si_value.sival_int == RUNNING_BY_STOP ? 0 : 2);
}

static pid_t
start_with(const struct store *s, const char *call, const char *workflow, const char *principal,
	   const char *const items[], size_t count)
{
	struct running_call c = { .t0_ms = 1 };
	int ready[2];
	char byte;
	pid_t pid;

	cr_assert_eq(text_uuid_parse(call, c.call), 0);
	cr_assert_eq(text_uuid_parse(workflow, c.workflow), 0);
	memcpy(c.call_text, call, UUID_TEXT_SIZE);
	running_set_principal(&c, principal);
	cr_assert_eq(running_set_lease(&c, "acme", items, count), 0);
	cr_assert_eq(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		hold(s, &c, ready[1]);
	}
	close(ready[1]);
	cr_assert_eq(fdio_read(ready[0], &byte, 1), 0, "%s", call);
	close(ready[0]);
	return pid;
}

static pid_t
start(const struct store *s, const char *call, const char *workflow, const char *principal)
{
	return start_with(s, call, workflow, principal, NULL, 0);
}

/* Its file without the last line: one that is being written. */
static void
cut_end(const struct store *s, const char *call)
{
	char path[256];
	struct stat st;
	auto_fd fd = -1;

	snprintf(path, sizeof(path), RUNNING_DIR "/%s", call);
	fd = openat(s->dir_fd, path, O_RDWR | O_CLOEXEC);
	cr_assert_geq(fd, 0);
	cr_assert_eq(fstat(fd, &st), 0);
	cr_assert_eq(ftruncate(fd, st.st_size - (off_t)strlen("end\n")), 0);
}

static size_t
send_to(const struct store *s, struct control_filter which, const char *only)
{
	auto_control_calls calls = { .texts = NULL };
	struct err err = ERR_INIT;

	cr_assert_eq(control_signal(s, &which, RUNNING_SIGNAL_KILL, RUNNING_BY_STOP, &calls, &err),
		     0, "%s", err.text);
	cr_expect_eq(calls.unreachable, 0u);
	cr_expect_eq(control_wait(s, &calls, 60000), 0u);
	if (only != NULL && calls.count == 1) {
		cr_expect_str_eq(calls.texts[0], only);
	}
	return calls.count;
}

static void
expect_ended(pid_t pid)
{
	int status = -1;

	cr_expect_eq(waitpid(pid, &status, 0), pid);
	cr_expect_eq(status, 0);
}

Test(control, those_that_are_meant)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct err err = ERR_INIT;
	uint8_t call_b[16], flow_1[16];
	char long_name[200];
	pid_t a, b, c;

	memset(long_name, 'x', sizeof(long_name));
	long_name[199] = '\0';
	cr_assert_eq(store_open_write(t.state, &s, &err), 0, "%s", err.text);
	cr_assert_eq(text_uuid_parse(CALL_B, call_b), 0);
	cr_assert_eq(text_uuid_parse(FLOW_1, flow_1), 0);
	cr_expect_eq(send_to(&s, (struct control_filter){ .call = NULL }, NULL), 0u);
	a = start(&s, CALL_A, FLOW_1, "ann");
	b = start(&s, CALL_B, FLOW_1, "");
	c = start(&s, CALL_C, FLOW_2, long_name);
	cr_expect_eq(send_to(&s, (struct control_filter){ .principal = "an" }, NULL), 0u);
	cr_expect_eq(send_to(&s, (struct control_filter){ .principal = "anna" }, NULL), 0u);
	/* what a running call keeps of the name is the same */
	long_name[198] = 'y';
	cr_expect_eq(send_to(&s, (struct control_filter){ .principal = long_name }, NULL), 0u);
	long_name[198] = '\0';
	cr_expect_eq(send_to(&s, (struct control_filter){ .principal = long_name }, NULL), 0u);
	memcpy(long_name + 198, "x", 2);
	cr_expect_eq(send_to(&s, (struct control_filter){ .principal = long_name }, CALL_C), 1u);
	expect_ended(c);
	cr_expect_eq(
		send_to(&s, (struct control_filter){ .call = call_b, .principal = "ann" }, NULL),
		0u);
	cr_expect_eq(send_to(&s, (struct control_filter){ .call = call_b }, CALL_B), 1u);
	expect_ended(b);
	b = start(&s, CALL_B, FLOW_1, "");
	c = start(&s, CALL_C, FLOW_2, "");
	cr_expect_eq(send_to(&s, (struct control_filter){ .workflow = flow_1 }, NULL), 2u);
	expect_ended(a);
	expect_ended(b);
	cr_expect_eq(send_to(&s, (struct control_filter){ .call = NULL }, CALL_C), 1u);
	expect_ended(c);
}

/* Also what cannot be read to its end, as it may have said more. */
Test(control, those_that_hold_what_is_revoked)
{
	static const char *const items[] = { "gh", "npm" };
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct err err = ERR_INIT;
	pid_t a, b, c;

	cr_assert_eq(store_open_write(t.state, &s, &err), 0, "%s", err.text);
	a = start_with(&s, CALL_A, FLOW_1, "", items, 2);
	b = start_with(&s, CALL_B, FLOW_1, "", items + 1, 1);
	c = start(&s, CALL_C, FLOW_1, "");
	cr_expect_eq(send_to(&s, (struct control_filter){ .bundle = "other", .item = "gh" }, NULL),
		     0u);
	cr_expect_eq(send_to(&s, (struct control_filter){ .bundle = "acme", .item = "gh" }, CALL_A),
		     1u);
	expect_ended(a);
	cr_expect_eq(
		send_to(&s, (struct control_filter){ .bundle = "acme", .item = "npm" }, CALL_B),
		1u);
	expect_ended(b);
	cut_end(&s, CALL_C);
	cr_expect_eq(send_to(&s, (struct control_filter){ .bundle = "acme", .item = "gh" }, CALL_C),
		     1u);
	expect_ended(c);
}

/* One that cannot be signalled is told from one that has ended. */
Test(control, who_cannot_be_reached_is_counted)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	auto_control_calls calls = { .texts = NULL };
	const struct control_filter every = { .call = NULL };
	struct running_call c = { .pid = INT_MAX, .call_text = CALL_A };
	struct err err = ERR_INIT;
	auto_fd fd = -1;

	cr_assert_eq(store_open_write(t.state, &s, &err), 0, "%s", err.text);
	cr_assert_eq(running_enter(&s, &c, &fd, &err), 0, "%s", err.text);
	cr_assert_eq(control_signal(&s, &every, RUNNING_SIGNAL_KILL, RUNNING_BY_STOP, &calls, &err),
		     0);
	cr_expect_eq(calls.count, 0u);
	cr_expect_eq(calls.unreachable, 1u);
}
