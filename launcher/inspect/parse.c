/* SPDX-License-Identifier: Apache-2.0 */
/* Run by airlock-inspect as the tool; the lines are the kernel's. */
#include "parse.h"

#include <arpa/inet.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/mountinfo.h"
#include "../base/text.h"

#define WORD_SIZE 40u /* an address of v6 is the longest */

const char *
parse_status(const char *status, const char *name)
{
	size_t len = strlen(name);

	for (const char *line = status; line != NULL; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, len) == 0 && line[len] == ':') {
			return line + len + 1 + strspn(line + len + 1, " \t");
		}
	}
	return NULL;
}

bool
parse_status_number(const char *status, const char *name, int base, uint64_t *ret)
{
	const char *text = parse_status(status, name);
	char *end = NULL;
	uint64_t v = text != NULL ? strtoull(text, &end, base) : 0;

	if (text == NULL || end == text) {
		return false;
	}
	*ret = v;
	return true;
}

bool
parse_mount(char *line, struct parsed_mount *ret)
{
	char *field[6], *tail[3], *save = NULL, *dash = strstr(line, " - ");

	if (dash == NULL) {
		return false;
	}
	*dash = '\0';
	for (size_t i = 0; i < ARRAY_LEN(field); i++) {
		field[i] = strtok_r(i == 0 ? line : NULL, " ", &save);
		if (field[i] == NULL) {
			return false;
		}
	}
	/* The first of the optional fields says enough: shared:N, master:N, unbindable. */
	ret->propagation = save != NULL && *save != '\0' ? strtok_r(NULL, " ", &save) : NULL;
	save = NULL;
	for (size_t i = 0; i < ARRAY_LEN(tail); i++) {
		tail[i] = strtok_r(i == 0 ? dash + 3 : NULL, " ", &save);
		if (tail[i] == NULL) {
			return false;
		}
	}
	mount_unescape(field[3]);
	mount_unescape(field[4]);
	mount_unescape(tail[1]);
	mount_unescape(tail[2]);
	ret->root = field[3];
	ret->point = field[4];
	ret->options = field[5];
	ret->fs = tail[0];
	ret->source = tail[1];
	ret->super_options = tail[2];
	return true;
}

/* Behind so many words and the blanks after them; NULL where there are fewer. */
static const char *
skip_words(const char *line, unsigned int count)
{
	for (; count > 0; count--) {
		line += strspn(line, " \t");
		if (*line == '\0') {
			return NULL;
		}
		line += strcspn(line, " \t");
	}
	return line + strspn(line, " \t");
}

/* "Num RefCount Protocol Flags Type St Inode Path": the number of a socket ends with a colon. */
const char *
parse_unix_name(const char *line)
{
	const char *name = strchr(line, ':') != NULL ? skip_words(line, 7) : NULL;

	return name != NULL && *name != '\0' ? name : NULL;
}

/* The first max words of a line; how many. None where one is too long to be any of ours. */
static size_t
split(const char *line, const char *between, char words[][WORD_SIZE], size_t max)
{
	size_t count = 0;

	for (line += strspn(line, between); *line != '\0' && count < max; count++) {
		size_t len = strcspn(line, between);

		if (len >= WORD_SIZE) {
			return 0;
		}
		memcpy(words[count], line, len);
		words[count][len] = '\0';
		line += len;
		line += strspn(line, between);
	}
	return count;
}

/* At most so many digits, and nothing behind them. */
static bool
hex(const char *word, size_t digits_max, uint32_t *ret)
{
	size_t len = strspn(word, "0123456789ABCDEFabcdef");

	if (len == 0 || len > digits_max || word[len] != '\0') {
		return false;
	}
	*ret = (uint32_t)strtoul(word, NULL, 16);
	return true;
}

/* The kernel prints each 32 bits as a number of this machine. */
static bool
address_of(const char *word, bool is_v6, uint8_t ret[16])
{
	size_t parts = is_v6 ? 4 : 1;

	if (strlen(word) != parts * 8) {
		return false;
	}
	for (size_t i = 0; i < parts; i++) {
		char part[9] = { 0 };
		uint32_t v;

		memcpy(part, word + i * 8, 8);
		if (!hex(part, 8, &v)) {
			return false;
		}
		memcpy(ret + i * 4, &v, sizeof(v));
	}
	return true;
}

/* "sl: local:port remote:port state" */
bool
parse_socket(const char *line, bool is_v6, struct parsed_socket *ret)
{
	char words[6][WORD_SIZE], text[INET6_ADDRSTRLEN];
	uint32_t port, remote_port;
	uint8_t address[16];

	if (split(line, " \t:", words, ARRAY_LEN(words)) != ARRAY_LEN(words) ||
	    !address_of(words[1], is_v6, address) || !hex(words[2], 4, &port) ||
	    !hex(words[4], 4, &remote_port) ||
	    inet_ntop(is_v6 ? AF_INET6 : AF_INET, address, text, sizeof(text)) == NULL) {
		return false;
	}
	snprintf(ret->address, sizeof(ret->address), is_v6 ? "[%s]:%u" : "%s:%u", text, port);
	ret->waits = remote_port == 0;
	return true;
}

static void
put_prefix(char ret[ADDRESS_TEXT_SIZE], int family, const uint8_t *address, unsigned int length)
{
	char text[INET6_ADDRSTRLEN] = "";

	if (inet_ntop(family, address, text, sizeof(text)) != NULL) {
		snprintf(ret, ADDRESS_TEXT_SIZE, "%s/%u", text, length);
	}
}

static bool
put_interface(char ret[DEVICE_NAME_SIZE], const char *word)
{
	return snprintf(ret, DEVICE_NAME_SIZE, "%s", word) < DEVICE_NAME_SIZE;
}

/* "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT" */
bool
parse_route(const char *line, struct parsed_route *ret)
{
	struct parsed_route route = { .gateway = "" };
	uint32_t destination, gateway, mask;
	char words[8][WORD_SIZE];

	if (split(line, " \t", words, ARRAY_LEN(words)) != ARRAY_LEN(words) ||
	    !put_interface(route.interface, words[0]) || !hex(words[1], 8, &destination) ||
	    !hex(words[2], 8, &gateway) || !hex(words[7], 8, &mask)) {
		return false;
	}
	put_prefix(route.destination, AF_INET, (const uint8_t *)&destination,
		   (unsigned int)__builtin_popcount(mask));
	if (gateway != 0 &&
	    inet_ntop(AF_INET, &gateway, route.gateway, sizeof(route.gateway)) == NULL) {
		return false;
	}
	*ret = route;
	return true;
}

/* "destination length source length next-hop metric references use flags interface" */
bool
parse_route_v6(const char *line, struct parsed_route *ret)
{
	static const uint8_t none[16];
	struct parsed_route route = { .gateway = "" };
	char words[10][WORD_SIZE];
	uint8_t to[16], via[16];
	uint32_t length;

	if (split(line, " \t", words, ARRAY_LEN(words)) != ARRAY_LEN(words) ||
	    text_unhex(words[0], to, sizeof(to)) < 0 || !hex(words[1], 2, &length) ||
	    text_unhex(words[4], via, sizeof(via)) < 0 ||
	    !put_interface(route.interface, words[9])) {
		return false;
	}
	put_prefix(route.destination, AF_INET6, to, length);
	if (memcmp(via, none, sizeof(none)) != 0 &&
	    inet_ntop(AF_INET6, via, route.gateway, sizeof(route.gateway)) == NULL) {
		return false;
	}
	*ret = route;
	return true;
}

/* "address index length scope flags interface" */
bool
parse_address_v6(const char *line, char ret_address[ADDRESS_TEXT_SIZE],
		 char ret_interface[DEVICE_NAME_SIZE])
{
	char words[6][WORD_SIZE], name[DEVICE_NAME_SIZE];
	uint8_t address[16];
	uint32_t length;

	if (split(line, " \t", words, ARRAY_LEN(words)) != ARRAY_LEN(words) ||
	    text_unhex(words[0], address, sizeof(address)) < 0 || !hex(words[2], 2, &length) ||
	    !put_interface(name, words[5])) {
		return false;
	}
	put_prefix(ret_address, AF_INET6, address, length);
	memcpy(ret_interface, name, sizeof(name));
	return true;
}

bool
parse_is_credential(const char *name)
{
	static const char *const patterns[] = {
#define CREDENTIAL(pattern) (pattern),
#include "credential_names.def"
#undef CREDENTIAL
	};

	for (size_t i = 0; i < ARRAY_LEN(patterns); i++) {
		if (fnmatch(patterns[i], name, FNM_CASEFOLD) == 0) {
			return true;
		}
	}
	return false;
}
