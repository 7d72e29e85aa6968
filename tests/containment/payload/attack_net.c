/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Acts on sockets. Runs inside and outside, see attack.h; "serve" and "hand" are the host's side of
 * a control.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attack.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))
#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

static long
raw_socket(uint64_t family, uint64_t type, uint64_t protocol)
{
	long fd = syscall(SYS_socket, family, type, protocol);

	if (fd >= 0) {
		close((int)fd);
	}
	return fd;
}

/* Every family but the three that tools may have, and a few beyond the last that kernels know. */
static void
act_families(const char *line, const char *argument)
{
	(void)line, (void)argument;
	for (unsigned int family = 3; family < 50; family++) {
		char name[32];
		long rc = -1;

		if (family == AF_INET6) {
			continue;
		}
		for (unsigned int type = SOCK_STREAM; type <= SOCK_SEQPACKET && rc < 0; type++) {
			rc = raw_socket(family, type, 0);
			if (rc < 0 && errno == EAFNOSUPPORT) {
				break;
			}
		}
		snprintf(name, sizeof(name), "family-%u", family);
		report(name, rc);
	}
	report("family-16-dirty", raw_socket(16 | 1ull << 32, SOCK_RAW, 0));
}

static void
act_protocols(const char *line, const char *argument)
{
	static const struct {
		const char *name;
		uint64_t family, type, protocol;
	} rows[] = {
		/* clang-format off */
		{ "mptcp",     AF_INET,  SOCK_STREAM, IPPROTO_MPTCP },
		{ "mptcp6",    AF_INET6, SOCK_STREAM, IPPROTO_MPTCP },
		{ "sctp",      AF_INET,  SOCK_STREAM, 132 },
		{ "dccp",      AF_INET,  6,           33 },
		{ "icmp",      AF_INET,  SOCK_DGRAM,  IPPROTO_ICMP },
		{ "icmp6",     AF_INET6, SOCK_DGRAM,  58 },
		{ "raw",       AF_INET,  SOCK_RAW,    IPPROTO_RAW },
		{ "raw6",      AF_INET6, SOCK_RAW,    IPPROTO_RAW },
		{ "udplite",   AF_INET,  SOCK_DGRAM,  136 },
		{ "mptcp-dirty", AF_INET | 1ull << 32, SOCK_STREAM, IPPROTO_MPTCP | 1ull << 32 },
		{ "tcp",       AF_INET,  SOCK_STREAM, 0 },
		{ "udp6",      AF_INET6, SOCK_DGRAM,  0 },
		/* clang-format on */
	};
	int pair[2];

	(void)line, (void)argument;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		report(rows[i].name, raw_socket(rows[i].family, rows[i].type, rows[i].protocol));
	}
	report("pair-tipc", socketpair(30, SOCK_STREAM, 0, pair));
}

/* HOST:PORT or [HOST]:PORT; tcp- or udp- by the verb. */
static long
reach(const char *argument, int type)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
	struct sockaddr_in four = { .sin_family = AF_INET };
	char host[64];
	const char *port = strrchr(argument, ':');
	int is_six = argument[0] == '[';
	int fd = socket(is_six ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC, 0);
	long rc = -1;

	if (port == NULL || fd < 0) {
		return -1;
	}
	snprintf(host, sizeof(host), "%.*s", (int)(port - argument) - 2 * is_six,
		 argument + is_six);
	four.sin_port = six.sin6_port = htons((uint16_t)strtol(port + 1, NULL, 10));
	inet_pton(AF_INET, host, &four.sin_addr);
	inet_pton(AF_INET6, host, &six.sin6_addr);
	rc = is_six ? connect(fd, (struct sockaddr *)&six, sizeof(six))
		    : connect(fd, (struct sockaddr *)&four, sizeof(four));
	if (rc == 0 && type == SOCK_DGRAM) {
		rc = send(fd, "x", 1, 0);
		rc = rc < 0 ? rc : send(fd, "x", 1, 0); /* an ICMP refusal is told by the second */
	}
	close(fd);
	return rc;
}

static void
act_tcp(const char *line, const char *argument)
{
	report(line, reach(argument, SOCK_STREAM));
}

static void
act_udp(const char *line, const char *argument)
{
	report(line, reach(argument, SOCK_DGRAM));
}

/* A path, or @NAME for an abstract one. Returns the address's length. */
static socklen_t
unix_address(const char *name, struct sockaddr_un *ret)
{
	size_t len = strlen(name);

	memset(ret, 0, sizeof(*ret));
	ret->sun_family = AF_UNIX;
	if (len >= sizeof(ret->sun_path)) {
		len = sizeof(ret->sun_path) - 1;
	}
	memcpy(ret->sun_path, name, len);
	if (name[0] == '@') {
		ret->sun_path[0] = '\0';
		return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	}
	return sizeof(*ret);
}

static void
act_unix(const char *line, const char *name)
{
	struct sockaddr_un address;
	socklen_t len = unix_address(name, &address);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	report(line, fd < 0 ? -1 : connect(fd, (struct sockaddr *)&address, len));
	close(fd);
}

/*
 * The host's side: listens on the TCP port of 127.0.0.1 and ::, and on UNIX names, says "PORT" and
 * waits for the end of stdin. "serve:NAME,NAME…".
 */
static void
act_serve(const char *line, const char *argument)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_ANY_INIT };
	socklen_t any_len = sizeof(any);
	int tcp = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int udp = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char byte;

	(void)line;
	if (bind(tcp, (struct sockaddr *)&any, sizeof(any)) < 0 || listen(tcp, 16) < 0 ||
	    getsockname(tcp, (struct sockaddr *)&any, &any_len) < 0 ||
	    bind(udp, (struct sockaddr *)&any, sizeof(any)) < 0) {
		report("serve", -1);
		return;
	}
	while (argument[0] != '\0') {
		struct sockaddr_un address;
		const char *name = cut(argument, &argument);
		socklen_t len = unix_address(name, &address);
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (bind(fd, (struct sockaddr *)&address, len) < 0 || listen(fd, 16) < 0 ||
		    (name[0] == '/' && chmod(name, 0777) < 0)) {
			report(name, -1);
			return;
		}
	}
	printf("%d\n", ntohs(any.sin6_port));
	fflush(stdout);
	while (read(0, &byte, 1) > 0) {
	}
}

static ssize_t
send_fd(int sock, int fd)
{
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { "x", 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *c;

	memset(&control, 0, sizeof(control));
	c = CMSG_FIRSTHDR(&msg);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	return sendmsg(sock, &msg, MSG_NOSIGNAL);
}

/* The host's side: takes what comes until the other end is closed, in a process left to itself. */
static void
take_all(int sock, int other)
{
	pid_t pid = fork();

	if (pid == 0 && fork() == 0) {
		char byte;

		close(other);
		for (int fd = 0; fd < 3; fd++) {
			close(fd);
		}
		alarm(60);
		while (read(sock, &byte, 1) > 0) {
		}
	}
	if (pid == 0) {
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

/*
 * The host's side: the rest of the command line runs with a socket as stdin that has PATH's
 * descriptor waiting.
 */
void
hand_and_exec(const char *path, char **command)
{
	int pair[2];
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0) {
		perror("attack: hand");
		return;
	}
	if (send_fd(pair[0], fd) < 0) {
		perror("attack: hand");
	}
	take_all(pair[0], pair[1]);
	dup2(pair[1], 0);
	fcntl(pair[0], F_SETFD, FD_CLOEXEC);
	fcntl(pair[1], F_SETFD, FD_CLOEXEC);
	execvp(command[0], command);
	perror(command[0]);
}

/* The tool's side: a descriptor of its own for whoever holds the other end of FD. */
static void
act_give(const char *line, const char *argument)
{
	int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	report(line, fd < 0 ? -1 : send_fd((int)strtol(argument, NULL, 10), fd));
	close(fd);
}

/* The tool's side: takes what waits on stdin. */
static void
act_take(const char *line, const char *argument)
{
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(0, &msg, 0);

	(void)argument;
	if (n < 0) {
		report(line, n);
	} else {
		report_text(line, CMSG_FIRSTHDR(&msg) != NULL ? "descriptor" : "no-descriptor");
	}
}

static void
act_bind(const char *line, const char *argument)
{
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	four.sin_port = htons((uint16_t)strtol(argument, NULL, 10));
	report(line, bind(fd, (struct sockaddr *)&four, sizeof(four)));
	close(fd);
}

const struct act acts_net[] = {
	/* clang-format off */
	{ "bind", act_bind },
	{ "families", act_families },
	{ "give", act_give },
	{ "protocols", act_protocols },
	{ "serve", act_serve },
	{ "take", act_take },
	{ "tcp", act_tcp },
	{ "udp", act_udp },
	{ "unix", act_unix },
	{ NULL, NULL },
	/* clang-format on */
};
