/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs as the developer or CI, with the programs of OpenSSH. A process serves a key through a
 * socket in a directory, as airlock-credd does; its clients are ssh-add and ssh-keygen, and ones
 * that keep no rule.
 */
#include "keys.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "../../../launcher/credd/agent_serve.h"
#include "../../../launcher/credd/ssh_wire.h"
#include "../../../launcher/sys/sys.h"

#define LIST "\0\0\0\1\x0b"
#define LIST_LEN 5u

struct served {
	struct keys keys;
	int front, door; /* the front's end; the jail's */
	pid_t pid;
};

static void __attribute__((noreturn)) serve(struct agent *a, int front, int door)
{
	struct agent_door doors[] = { { .fd = door, .agent = a } };

	signal(SIGPIPE, SIG_IGN);
	agent_serve(front, doors, 1);
	/* what it counted, for who waits */
	_exit(doors[0].fd == -1 && a->uses.refusals < 100 ? (int)a->uses.refusals : 100);
}

/* With a socket at "sock" in the directory of the keys, which has its key in "key". */
static void
start_with(struct served *s, const char *command)
{
	struct agent a = { .key = SSH_KEY_INIT, .comment = "deploy" };
	struct err err = ERR_INIT;
	int fronts[2], jails[2], dir, listener;

	signal(SIGPIPE, SIG_IGN);
	keys_init(&s->keys);
	cr_assert_eq(keys_open(&s->keys, command, &a.key, &err), 0, "%s", err.text);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fronts), 0);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, jails), 0);
	s->pid = fork();
	if (s->pid == 0) {
		close(fronts[0]);
		close(jails[0]);
		serve(&a, fronts[1], jails[1]);
	}
	ssh_key_close(&a.key);
	close(fronts[1]);
	close(jails[1]);
	s->front = fronts[0];
	dir = open(s->keys.dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	listener = sys_listen_at(dir, "sock");
	cr_assert_geq(listener, 0);
	cr_assert_eq(sys_send_message(jails[0], "", 1, &listener, 1), 0);
	close(dir);
	close(listener);
	close(jails[0]);
}

static void
start(struct served *s)
{
	start_with(s, "ssh-keygen -q -N '' -t ed25519 -f key");
}

/* The front's word; what the server counted as refused. */
static int
end(struct served *s)
{
	int status;

	cr_assert_eq(send(s->front, "", 1, 0), 1);
	cr_assert_eq(waitpid(s->pid, &status, 0), s->pid);
	cr_expect(WIFEXITED(status));
	close(s->front);
	keys_finish(&s->keys);
	return WEXITSTATUS(status);
}

/* A client; -errno. */
static int
join(const struct served *s)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%s/sock", s->keys.dir);
	if (connect(fd, (const struct sockaddr *)&at, sizeof(at)) < 0) {
		int rc = -errno;

		close(fd);
		return rc;
	}
	return fd;
}

/* How many bytes come before the end, or one answer's; -1: neither in 10 s. */
static ssize_t
hear(int fd, void *ret, size_t size)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };

	return poll(&wait, 1, 10000) > 0 ? recv(fd, ret, size, 0) : -1;
}

static void
expect_served(const struct served *s, const char *what)
{
	uint8_t answer[256] = { 0 };
	int fd = join(s);

	cr_assert_geq(fd, 0, "%s", what);
	cr_assert_eq(send(fd, LIST, LIST_LEN, 0), (ssize_t)LIST_LEN, "%s", what);
	cr_expect_gt(hear(fd, answer, sizeof(answer)), 5, "%s", what);
	cr_expect_eq(answer[4], 12, "%s", what);
	close(fd);
}

Test(agent_serve, openssh_signs_with_it_and_verifies_that)
{
	static const char *const commands[] = {
		"ssh-keygen -q -N '' -t ed25519 -f key",
		"ssh-keygen -q -N '' -t ecdsa -b 256 -f key",
		"ssh-keygen -q -N '' -t ecdsa -b 384 -f key",
		"ssh-keygen -q -N '' -t ecdsa -b 521 -f key",
		"ssh-keygen -q -N '' -t rsa -b 2048 -f key",
		"ssh-keygen -q -N '' -t rsa -b 2048 -m PEM -f key",
		"ssh-keygen -q -N '' -t ecdsa -m PKCS8 -f key",
	};

	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		struct served s;

		start_with(&s, commands[i]);
		cr_expect_eq(
			keys_run(&s.keys,
				 "export SSH_AUTH_SOCK=\"$PWD/sock\"\n"
				 "mv key away\n"
				 "ssh-add -L >listed\n"
				 "[ \"$(cat listed)\" = \"$(cut -d' ' -f1-2 key.pub) deploy\" ]\n"
				 "ssh-keygen -lf key.pub | cut -d' ' -f1,2 >want\n"
				 "ssh-add -l | cut -d' ' -f1,2 | cmp - want\n"
				 "echo text >text\n"
				 "ssh-keygen -Y sign -f key.pub -n file text\n"
				 "echo \"me $(cat key.pub)\" >signers\n"
				 "ssh-keygen -Y verify -f signers -I me -n file -s text.sig <text\n"
				 "echo other >other\n"
				 "not ssh-keygen -Y verify -f signers -I me -n file "
				 "-s text.sig <other\n"),
			0, "%s", commands[i]);
		cr_expect_eq(end(&s), 0);
	}
}

Test(agent_serve, nothing_is_added_taken_away_or_locked)
{
	struct served s;

	start(&s);
	cr_expect_eq(keys_run(&s.keys, "export SSH_AUTH_SOCK=\"$PWD/sock\" SSH_ASKPASS=/bin/true "
				       "SSH_ASKPASS_REQUIRE=force\n"
				       "ssh-keygen -q -N '' -t ed25519 -f other\n"
				       "not ssh-add other\n"
				       "not ssh-add -c -t 10 other\n"
				       "not ssh-add -D\n"
				       "not ssh-add -d key.pub\n"
				       "not ssh-add -x\n"
				       "not ssh-add -X\n"
				       "not ssh-add -s /usr/lib/x.so\n"
				       "[ $(ssh-add -L | wc -l) = 1 ]\n"
				       "mv key away\nmv other away-too\n"
				       "echo | ssh-keygen -Y sign -f key.pub -n file\n"
				       "not ssh-keygen -Y sign -f other.pub -n file\n"),
		     0);
	cr_expect_geq(end(&s), 8);
}

Test(agent_serve, who_breaks_a_rule_is_closed)
{
	static const struct {
		const char *what, *request;
		size_t len;
	} rows[] = {
		{ "no request at all", "\0\0\0\0", 4 },
		{ "one byte too long", "\0\0\x40\1", 4 },
		{ "four gigabytes", "\xff\xff\xff\xff\x0b", 5 },
	};
	struct served s;

	start(&s);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t answer[16];
		int fd = join(&s);

		cr_assert_eq(send(fd, rows[i].request, rows[i].len, 0), (ssize_t)rows[i].len);
		cr_expect_leq(hear(fd, answer, sizeof(answer)), 0, "%s", rows[i].what);
		close(fd);
		expect_served(&s, rows[i].what);
	}
	cr_expect_eq(end(&s), 0);
}

Test(agent_serve, the_longest_request_has_an_answer)
{
	struct served s;
	uint8_t answer[16];
	auto_buf request = BUF_INIT;
	int fd;

	start(&s);
	fd = join(&s);
	ssh_put_u32(&request, AGENT_REQUEST_MAX);
	for (size_t i = 0; i < AGENT_REQUEST_MAX; i++) {
		buf_u8(&request, 13);
	}
	cr_assert_eq(send(fd, request.data, request.len, 0), (ssize_t)request.len);
	cr_assert_eq(hear(fd, answer, sizeof(answer)), 5);
	cr_expect_eq(memcmp(answer, "\0\0\0\1\5", 5), 0);
	close(fd);
	cr_expect_eq(end(&s), 1);
}

Test(agent_serve, a_request_comes_in_pieces_and_many_at_once)
{
	static const char both[] = LIST LIST;
	uint8_t one[256], two[512] = { 0 };
	struct served s;
	ssize_t len, n;
	int fd;

	start(&s);
	fd = join(&s);
	for (size_t i = 0; i < LIST_LEN; i++) {
		cr_assert_eq(send(fd, LIST + i, 1, 0), 1);
		expect_served(&s, "meanwhile");
	}
	len = hear(fd, one, sizeof(one));
	cr_assert_gt(len, 5);
	cr_assert_eq(send(fd, both, sizeof(both) - 1, 0), (ssize_t)sizeof(both) - 1);
	for (n = 0; n < 2 * len;) {
		ssize_t more = hear(fd, two + n, sizeof(two) - (size_t)n);

		cr_assert_gt(more, 0);
		n += more;
	}
	cr_expect_eq(n, 2 * len);
	cr_expect_eq(memcmp(two, one, (size_t)len), 0);
	cr_expect_eq(memcmp(two + len, one, (size_t)len), 0);
	close(fd);
	cr_expect_eq(end(&s), 0);
}

Test(agent_serve, who_reads_no_answers_is_closed_and_others_are_served)
{
	struct served s;
	ssize_t n = 1;
	int fd;

	start(&s);
	fd = join(&s);
	while (n > 0) {
		n = send(fd, LIST, LIST_LEN, 0);
	}
	cr_expect(errno == EPIPE || errno == ECONNRESET);
	expect_served(&s, "another");
	close(fd);
	cr_expect_eq(end(&s), 0);
}

Test(agent_serve, more_clients_wait_for_one_to_go)
{
	int fds[AGENT_CLIENTS_MAX], late;
	uint8_t answer[256];
	struct pollfd wait;
	struct served s;

	start(&s);
	for (size_t i = 0; i < AGENT_CLIENTS_MAX; i++) {
		fds[i] = join(&s);
		cr_assert_eq(send(fds[i], LIST, LIST_LEN, 0), (ssize_t)LIST_LEN);
		cr_assert_gt(hear(fds[i], answer, sizeof(answer)), 5);
	}
	late = join(&s);
	cr_assert_eq(send(late, LIST, LIST_LEN, 0), (ssize_t)LIST_LEN);
	/* the others are served, and it is not */
	cr_assert_eq(send(fds[3], LIST, LIST_LEN, 0), (ssize_t)LIST_LEN);
	cr_assert_gt(hear(fds[3], answer, sizeof(answer)), 5);
	wait = (struct pollfd){ .fd = late, .events = POLLIN };
	cr_expect_eq(poll(&wait, 1, 0), 0);
	close(fds[7]);
	cr_expect_gt(hear(late, answer, sizeof(answer)), 5);
	for (size_t i = 0; i < AGENT_CLIENTS_MAX; i++) {
		if (i != 7) {
			close(fds[i]);
		}
	}
	close(late);
	cr_expect_eq(end(&s), 0);
}

Test(agent_serve, the_end_closes_everything)
{
	uint8_t answer[256];
	struct served s;
	int fd, status;

	start(&s);
	fd = join(&s);
	cr_assert_eq(send(fd, LIST, LIST_LEN, 0), (ssize_t)LIST_LEN);
	cr_assert_gt(hear(fd, answer, sizeof(answer)), 5);
	close(s.front); /* dead, not only done */
	cr_assert_eq(waitpid(s.pid, &status, 0), s.pid);
	cr_expect_leq(hear(fd, answer, sizeof(answer)), 0);
	cr_expect_eq(join(&s), -ECONNREFUSED);
	close(fd);
	keys_finish(&s.keys);
}

/* The jail failed before it had one, or sends something else. */
Test(agent_serve, a_door_without_a_socket)
{
	for (int with_fd = 0; with_fd < 2; with_fd++) {
		struct agent a = { .key = SSH_KEY_INIT, .comment = "deploy" };
		int fronts[2], jails[2], null = open("/dev/null", O_RDWR | O_CLOEXEC), status;
		pid_t pid;

		cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fronts), 0);
		cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, jails), 0);
		pid = fork();
		if (pid == 0) {
			close(fronts[0]);
			close(jails[0]);
			serve(&a, fronts[1], jails[1]);
		}
		close(fronts[1]);
		close(jails[1]);
		if (with_fd) {
			cr_assert_eq(sys_send_message(jails[0], "", 1, &null, 1), 0);
		}
		close(jails[0]);
		cr_assert_eq(send(fronts[0], "", 1, 0), 1);
		cr_assert_eq(waitpid(pid, &status, 0), pid);
		cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0);
		close(fronts[0]);
		close(null);
	}
}
