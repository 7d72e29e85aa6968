/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines of /proc, read. Pure. The text is the kernel's, with names in it that a sandbox chose; a
 * line that is not as documented is refused. Anybody may call.
 */
#ifndef AIRLOCK_INSPECT_PARSE_H
#define AIRLOCK_INSPECT_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/cleanup.h"

#define ADDRESS_TEXT_SIZE 64 /* an address with a port or the length of a prefix */
#define DEVICE_NAME_SIZE 16  /* IFNAMSIZ */

/* proc_pid_status(5): what stands behind NAME and its colon, without leading blanks; NULL. */
const char *parse_status(const char *status, const char *name);
/* The same as a number in that base. */
bool parse_status_number(const char *status, const char *name, int base, uint64_t *ret);

/* A line of proc_pid_mountinfo(5), cut up in place and unescaped. */
struct parsed_mount {
	const char *root, *point, *options, *propagation, *fs, *source, *super_options;
};

bool parse_mount(char *line, struct parsed_mount *ret);

/* The name in a line of /proc/net/unix; NULL where the socket has none. '@' is a NUL. */
const char *parse_unix_name(const char *line);

/*
 * A line of /proc/net/tcp, udp and their like: the local address as text, and whether it waits for
 * whoever comes (a listener of TCP, a UDP socket that is not connected).
 */
struct parsed_socket {
	char address[ADDRESS_TEXT_SIZE];
	bool waits;
};

bool parse_socket(const char *line, bool is_v6, struct parsed_socket *ret);

struct parsed_route {
	char destination[ADDRESS_TEXT_SIZE], gateway[ADDRESS_TEXT_SIZE]; /* gateway: "" for none */
	char interface[DEVICE_NAME_SIZE];
};

/* A line of /proc/net/route, of /proc/net/ipv6_route. */
bool parse_route(const char *line, struct parsed_route *ret);
bool parse_route_v6(const char *line, struct parsed_route *ret);

/* A line of /proc/net/if_inet6. */
bool parse_address_v6(const char *line, char ret_address[ADDRESS_TEXT_SIZE],
		      char ret_interface[DEVICE_NAME_SIZE]);

/* Whether a variable of that name usually holds a credential: credential_names.def. */
bool parse_is_credential(const char *name);

#endif
