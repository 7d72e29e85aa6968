/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by airlock-credd. A client that breaks a rule is closed: a request that is too long, an
 * answer that it leaves unread. Nothing here waits for one.
 */
#include "agent_serve.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../sys/sys.h"
#include "lease.h"
#include "ssh_wire.h"

struct client {
	int fd; /* owned; -1: none */
	struct agent *agent;
	size_t len;
	uint8_t request[SSH_U32_SIZE + AGENT_REQUEST_MAX];
};

struct serving {
	struct agent_door *doors;
	size_t door_count;
	struct client clients[AGENT_CLIENTS_MAX];
	size_t first; /* client that is looked at first: who was served is the last */
};

static void
shut(int *fd)
{
	cleanup_fd(fd);
	*fd = -1;
}

static struct client *
free_client(struct serving *s)
{
	for (size_t i = 0; i < AGENT_CLIENTS_MAX; i++) {
		if (s->clients[i].fd < 0) {
			return &s->clients[i];
		}
	}
	return NULL;
}

/* ---- doors ----------------------------------------------------------------------------------- */

/* From the jail, before there is a tool. */
static void
take_socket(struct agent_door *door)
{
	int fds[SYS_FDS_MAX];
	uint8_t byte;
	pid_t pid;
	ssize_t n = sys_recv_message(door->fd, &byte, sizeof(byte), fds, &pid);

	shut(&door->fd);
	if (n < 0) {
		return; /* it has no descriptors then */
	}
	for (size_t i = 1; i < SYS_FDS_MAX; i++) {
		cleanup_fd(&fds[i]);
	}
	door->fd = fds[0];
	door->is_listening = true;
	if (door->fd >= 0 && fcntl(door->fd, F_SETFL, O_NONBLOCK) < 0) {
		shut(&door->fd);
	}
}

static void
let_in(struct serving *s, struct agent_door *door)
{
	struct client *c = free_client(s);
	int fd = c != NULL ? accept4(door->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK) : -1;

	if (fd >= 0) {
		c->fd = fd;
		c->agent = door->agent;
		c->len = 0;
	} else if (c != NULL && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
		shut(&door->fd);
	}
}

/* ---- clients --------------------------------------------------------------------------------- */

/* How many bytes the request has with its length, as far as that is known. */
static size_t
wanted(const struct client *c)
{
	return SSH_U32_SIZE + (c->len >= SSH_U32_SIZE ? ssh_load_u32(c->request) : 0);
}

static void
answer(struct client *c)
{
	auto_buf out = BUF_INIT;

	agent_answer(c->agent, c->request + SSH_U32_SIZE, c->len - SSH_U32_SIZE, &out);
	c->len = 0;
	if (buf_error(&out) < 0 || write(c->fd, out.data, out.len) != (ssize_t)out.len) {
		shut(&c->fd);
	}
}

/* One read, and no more than this request. True when it was answered. */
static bool
hear(struct client *c)
{
	ssize_t n = read(c->fd, c->request + c->len, wanted(c) - c->len);

	if (n <= 0) {
		if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
			shut(&c->fd);
		}
		return false;
	}
	c->len += (size_t)n;
	if (c->len >= SSH_U32_SIZE &&
	    (wanted(c) == SSH_U32_SIZE || wanted(c) > sizeof(c->request))) {
		shut(&c->fd);
		return false;
	}
	if (c->len < wanted(c)) {
		return false;
	}
	answer(c);
	return true;
}

/* ---- the loop -------------------------------------------------------------------------------- */

static void
look(struct serving *s, const struct pollfd *doors, const struct pollfd *clients)
{
	for (size_t i = 0; i < s->door_count; i++) {
		if (doors[i].revents == 0) {
			continue;
		}
		if (s->doors[i].is_listening) {
			let_in(s, &s->doors[i]);
		} else {
			take_socket(&s->doors[i]);
		}
	}
	for (size_t k = 0; k < AGENT_CLIENTS_MAX; k++) {
		size_t i = (s->first + k) % AGENT_CLIENTS_MAX;

		if (s->clients[i].fd >= 0 && clients[i].revents != 0 && hear(&s->clients[i])) {
			s->first = i + 1;
			return; /* the front is asked first again */
		}
	}
}

void
agent_serve(int front_fd, struct agent_door *doors, size_t count)
{
	struct serving s; /* large, and no page of it is touched that is not needed */
	struct pollfd waits[1 + LEASE_ITEMS_MAX + AGENT_CLIENTS_MAX];
	struct pollfd *const clients = waits + 1 + count;

	s.doors = doors;
	s.door_count = count;
	s.first = 0;
	for (size_t i = 0; i < AGENT_CLIENTS_MAX; i++) {
		s.clients[i].fd = -1;
	}
	do {
		bool is_full = free_client(&s) == NULL;

		waits[0] = (struct pollfd){ .fd = front_fd, .events = POLLIN };
		for (size_t i = 0; i < count; i++) {
			waits[1 + i] = (struct pollfd){ .fd = doors[i].is_listening && is_full
								    ? -1
								    : doors[i].fd,
							.events = POLLIN };
		}
		for (size_t i = 0; i < AGENT_CLIENTS_MAX; i++) {
			clients[i] = (struct pollfd){ .fd = s.clients[i].fd, .events = POLLIN };
		}
		if (ppoll(waits, 1 + count + AGENT_CLIENTS_MAX, NULL, NULL) < 0) {
			waits[0].revents = errno == EINTR ? 0 : POLLERR;
		} else if (waits[0].revents == 0) {
			look(&s, waits + 1, clients);
		}
	} while (waits[0].revents == 0);
	/* doors first: who has been shut out finds none to come in by */
	for (size_t i = 0; i < count; i++) {
		shut(&doors[i].fd);
	}
	for (size_t i = 0; i < AGENT_CLIENTS_MAX; i++) {
		shut(&s.clients[i].fd);
	}
}
