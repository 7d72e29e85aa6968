/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by airlock-inspect as the tool: the network that it has, and sockets of others. Connecting is
 * tried and nothing is sent; who listens there sees somebody come and go.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <arpa/inet.h>
#include <net/if.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "inspect.h"
#include "parse.h"

#define ENTRIES_MAX 20000u /* of directories, per place where sockets are looked for */
#define DEPTH_MAX 6u
#define SOCKETS_MAX 512u
#define INTERFACES_MAX 64

/* ---- interfaces ------------------------------------------------------------------------------ */

static void
say_address(struct report *r, const char *address, const char *interface)
{
	report_row(r);
	report_title(r, "address", address);
	report_text(r, "interface", interface);
	report_end(r);
}

/* Of v4 the kernel says addresses by ioctl alone (netdevice(7)); of v6 in a file. */
static void
say_addresses(struct look *l, int fd)
{
	struct ifreq *rows = arena_alloc(&l->arena, INTERFACES_MAX * sizeof(*rows));
	struct ifconf conf = { .ifc_len = INTERFACES_MAX * (int)sizeof(*rows), .ifc_req = rows };
	const char *at = inspect_slurp(l, "/proc/net/if_inet6");
	char text[ADDRESS_TEXT_SIZE], interface[DEVICE_NAME_SIZE];

	report_list(l->report, "addresses");
	if (rows != NULL && fd >= 0 && ioctl(fd, SIOCGIFCONF, &conf) == 0) {
		for (size_t i = 0; i < (size_t)conf.ifc_len / sizeof(*rows); i++) {
			struct sockaddr_in in;

			memcpy(&in, &rows[i].ifr_addr, sizeof(in));
			if (inet_ntop(AF_INET, &in.sin_addr, text, sizeof(text)) != NULL) {
				say_address(l->report, text, rows[i].ifr_name);
			}
		}
	}
	for (char *line = inspect_line(l, &at); line != NULL; line = inspect_line(l, &at)) {
		if (parse_address_v6(line, text, interface)) {
			say_address(l->report, text, interface);
		}
	}
	report_end(l->report);
}

/* "  lo: 0 0 ..." below two lines of headings. */
static void
say_interfaces(struct look *l, int fd)
{
	const char *at = inspect_slurp(l, "/proc/net/dev");

	report_list(l->report, "interfaces");
	for (char *line = inspect_line(l, &at); line != NULL; line = inspect_line(l, &at)) {
		char *name = line + strspn(line, " "), *colon = strchr(name, ':');
		struct ifreq row = { .ifr_flags = 0 };

		if (colon == NULL || colon - name >= DEVICE_NAME_SIZE) {
			continue;
		}
		*colon = '\0';
		memcpy(row.ifr_name, name, (size_t)(colon - name) + 1);
		report_row(l->report);
		report_title(l->report, "name", name);
		report_flag(l->report, "up",
			    fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &row) == 0 &&
				    (row.ifr_flags & IFF_UP) != 0);
		report_end(l->report);
	}
	report_end(l->report);
}

static void
say_routes(struct look *l, const char *path,
	   bool (*parse)(const char *line, struct parsed_route *ret))
{
	const char *at = inspect_slurp(l, path);

	for (char *line = inspect_line(l, &at); line != NULL; line = inspect_line(l, &at)) {
		struct parsed_route route;

		if (parse(line, &route)) {
			report_row(l->report);
			report_title(l->report, "destination", route.destination);
			report_text(l->report, "gateway",
				    route.gateway[0] != '\0' ? route.gateway : NULL);
			report_text(l->report, "interface", route.interface);
			report_end(l->report);
		}
	}
}

void
see_network(struct look *l)
{
	auto_fd fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	report_object(l->report, "network");
	say_addresses(l, fd);
	say_interfaces(l, fd);
	report_list(l->report, "routes");
	say_routes(l, "/proc/net/route", parse_route);
	say_routes(l, "/proc/net/ipv6_route", parse_route_v6);
	report_end(l->report);
	report_end(l->report);
}

/* ---- sockets of others ----------------------------------------------------------------------- */

/* A path, or an abstract name with its leading '@'. */
static int
try_connect(const char *name, bool is_abstract)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t len = strlen(name);
	int error = EPROTOTYPE;

	if (len >= sizeof(to.sun_path)) {
		return ENAMETOOLONG;
	}
	memcpy(to.sun_path, name, len);
	if (is_abstract) {
		to.sun_path[0] = '\0';
	}
	for (size_t i = 0; i < ARRAY_LEN(types) && error == EPROTOTYPE; i++) {
		auto_fd fd = socket(AF_UNIX, types[i] | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		socklen_t size =
			(socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + !is_abstract);

		if (fd < 0) {
			return errno;
		}
		error = connect(fd, (const struct sockaddr *)&to, size) < 0 ? errno : 0;
	}
	return error;
}

static void
say_abstract(struct look *l)
{
	const char *at = inspect_slurp(l, "/proc/net/unix"), *last = "";
	size_t count = 0;

	report_list(l->report, "abstract");
	for (char *line = inspect_line(l, &at); line != NULL; line = inspect_line(l, &at)) {
		const char *name = parse_unix_name(line);

		/* A connection has the name of whoever listened: neighbours are said once. */
		if (name == NULL || name[0] != '@' || strcmp(name, last) == 0 ||
		    count++ >= SOCKETS_MAX) {
			continue;
		}
		last = name;
		report_row(l->report);
		report_text(l->report, "connect", inspect_result(try_connect(name, true)));
		report_title(l->report, "name", name);
		report_end(l->report);
	}
	report_end(l->report);
}

static void
say_families(struct report *r)
{
	static const struct {
		const char *name;
		int family, type;
	} families[] = {
		{ "alg", AF_ALG, SOCK_SEQPACKET },   { "bluetooth", AF_BLUETOOTH, SOCK_RAW },
		{ "can", AF_CAN, SOCK_RAW },	     { "inet", AF_INET, SOCK_STREAM },
		{ "inet raw", AF_INET, SOCK_RAW },   { "inet6", AF_INET6, SOCK_STREAM },
		{ "netlink", AF_NETLINK, SOCK_RAW }, { "packet", AF_PACKET, SOCK_RAW },
		{ "tipc", AF_TIPC, SOCK_SEQPACKET }, { "unix", AF_UNIX, SOCK_STREAM },
		{ "vsock", AF_VSOCK, SOCK_STREAM },
	};

	report_list(r, "families");
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		auto_fd fd = socket(families[i].family, families[i].type | SOCK_CLOEXEC,
				    families[i].type == SOCK_RAW && families[i].family == AF_INET
					    ? IPPROTO_TCP
					    : 0);
		int error = fd < 0 ? errno : 0;

		report_row(r);
		report_title(r, "name", families[i].name);
		report_text(r, "result", inspect_result(error));
		report_end(r);
	}
	report_end(r);
}

static void
say_listening(struct look *l)
{
	static const char *const protocols[] = { "tcp", "tcp6", "udp", "udp6", "raw", "raw6" };

	report_list(l->report, "listening");
	for (size_t i = 0; i < ARRAY_LEN(protocols); i++) {
		const char *path = arena_printf(&l->arena, "/proc/net/%s", protocols[i]);
		const char *at = path != NULL ? inspect_slurp(l, path) : "";
		bool is_v6 = strchr(protocols[i], '6') != NULL;

		for (char *line = inspect_line(l, &at); line != NULL; line = inspect_line(l, &at)) {
			struct parsed_socket s;

			if (parse_socket(line, is_v6, &s) && s.waits) {
				report_row(l->report);
				report_title(l->report, "address", s.address);
				report_text(l->report, "protocol", protocols[i]);
				report_end(l->report);
			}
		}
	}
	report_end(l->report);
}

struct finder {
	const char *path[SOCKETS_MAX];
	size_t count;
	unsigned int looked; /* in the place that is looked at */
	bool cut;
};

static void
add_socket(struct finder *s, const char *path)
{
	for (size_t i = 0; i < s->count; i++) {
		if (strcmp(s->path[i], path) == 0) {
			return;
		}
	}
	if (s->count == SOCKETS_MAX) {
		s->cut = true;
		return;
	}
	s->path[s->count++] = path;
}

/* No link is followed, and nothing below /proc and /sys is a socket. */
static void
find_sockets(struct look *l, const char *dir_path, unsigned int depth, struct finder *s)
{
	auto_dir dir = NULL;

	if (fdio_list_dir(AT_FDCWD, dir_path, O_NOFOLLOW, &dir) < 0) {
		return;
	}
	for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
		const char *path;

		if (++s->looked > ENTRIES_MAX || depth > DEPTH_MAX) {
			s->cut = true;
			return;
		}
		if ((e->d_type != DT_DIR && e->d_type != DT_SOCK) || strcmp(e->d_name, ".") == 0 ||
		    strcmp(e->d_name, "..") == 0) {
			continue;
		}
		path = arena_printf(&l->arena, "%s/%s", dir_path, e->d_name);
		if (path != NULL && e->d_type == DT_SOCK) {
			add_socket(s, path);
		} else if (path != NULL) {
			find_sockets(l, path, depth + 1, s);
		}
	}
}

/* A socket alone can be mounted anywhere. */
static bool
add_mounted(struct look *l, const struct parsed_mount *m, void *context)
{
	const char *path = arena_string(&l->arena, m->point);
	struct stat st;

	if (path != NULL && lstat(path, &st) == 0 && S_ISSOCK(st.st_mode)) {
		add_socket(context, path);
	}
	return true;
}

static void
say_paths(struct look *l)
{
	const char *const places[] = {
		"/run", "/tmp", "/var/tmp", "/dev", "/var/lib", inspect_variable(l, "HOME"), ".",
	};
	struct finder *s = arena_alloc(&l->arena, sizeof(*s));

	if (s == NULL) {
		return;
	}
	inspect_each_mount(l, add_mounted, s);
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		s->looked = 0;
		if (places[i] != NULL) {
			find_sockets(l, places[i], 0, s);
		}
	}
	report_list(l->report, "paths");
	for (size_t i = 0; i < s->count; i++) {
		report_row(l->report);
		report_text(l->report, "connect", inspect_result(try_connect(s->path[i], false)));
		report_title(l->report, "path", s->path[i]);
		report_end(l->report);
	}
	report_end(l->report);
	report_flag(l->report, "paths_complete", !s->cut);
}

void
see_sockets(struct look *l)
{
	report_object(l->report, "sockets");
	say_abstract(l);
	say_families(l->report);
	say_listening(l);
	say_paths(l);
	report_end(l->report);
}
