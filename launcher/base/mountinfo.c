/* SPDX-License-Identifier: Apache-2.0 */
/* Runs in the front; reads kernel text only. */
#include "mountinfo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "fdio.h"
#include "grow.h"

#define MOUNTINFO_MAX (16u << 20)

void
mount_unescape(char *text)
{
	char *out = text;

	for (const char *in = text; *in != '\0'; out++) {
		if (in[0] == '\\' && in[1] >= '0' && in[1] <= '3' && in[2] >= '0' && in[2] <= '7' &&
		    in[3] >= '0' && in[3] <= '7') {
			*out = (char)((in[1] - '0') << 6 | (in[2] - '0') << 3 | (in[3] - '0'));
			in += 4;
		} else {
			*out = *in++;
		}
	}
	*out = '\0';
}

static bool
has_option(const char *options, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = options; p != NULL; p = strchr(p, ',')) {
		p += *p == ',';
		if (strncmp(p, name, len) == 0 && (p[len] == ',' || p[len] == '\0')) {
			return true;
		}
	}
	return false;
}

/* "id parent major:minor root point options [optional…] - fs source super-options" */
static int
parse_line(char *line, struct mount_entry *ret)
{
	char *field[6];
	char *save = NULL;
	char *dash = strstr(line, " - ");
	char *minor_text;
	unsigned long number;

	if (dash == NULL) {
		return -EBADMSG;
	}
	*dash = '\0';
	for (int i = 0; i < 6; i++) {
		field[i] = strtok_r(i == 0 ? line : NULL, " ", &save);
		if (field[i] == NULL) {
			return -EBADMSG;
		}
	}
	ret->fs = strtok_r(dash + 3, " ", &save);
	if (ret->fs == NULL) {
		return -EBADMSG;
	}
	number = strtoul(field[2], &minor_text, 10);
	if (*minor_text != ':') {
		return -EBADMSG;
	}
	ret->device = makedev((unsigned int)number,
			      (unsigned int)strtoul(minor_text + 1, NULL, 10));
	ret->id = strtoull(field[0], NULL, 10);
	mount_unescape(field[3]);
	ret->root = field[3];
	mount_unescape(field[4]);
	ret->point = field[4];
	ret->ro = has_option(field[5], "ro");
	ret->nosuid = has_option(field[5], "nosuid");
	ret->nodev = has_option(field[5], "nodev");
	ret->noexec = has_option(field[5], "noexec");
	return 0;
}

static int
parse_all(struct mount_table *t)
{
	size_t room = 0;
	char *save = NULL;

	for (char *line = strtok_r(t->text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		struct mount_entry *grown = grow_array(t->items, t->count, &room, sizeof(*grown));
		int rc;

		if (grown == NULL) {
			return -ENOMEM;
		}
		t->items = grown;
		rc = parse_line(line, &t->items[t->count]);
		if (rc < 0) {
			return rc;
		}
		t->count++;
	}
	return 0;
}

int
mount_table_read(const char *path, struct mount_table *ret)
{
	struct mount_table t = MOUNT_TABLE_INIT;
	struct buf text = BUF_INIT;
	int rc = fdio_slurp_at(AT_FDCWD, path, MOUNTINFO_MAX, &text);

	if (rc < 0) {
		buf_finish(&text);
		return rc;
	}
	t.text = (char *)text.data; /* the buffer's bytes move over */
	rc = t.text == NULL ? 0 : parse_all(&t);
	if (rc < 0) {
		mount_table_finish(&t);
		return rc;
	}
	*ret = t;
	return 0;
}

void
mount_table_finish(struct mount_table *t)
{
	free(t->items);
	free(t->text);
	*t = (struct mount_table)MOUNT_TABLE_INIT;
}

const char *
mount_table_below(const struct mount_table *t, const char *path)
{
	size_t len = strlen(path);

	for (size_t i = 0; i < t->count; i++) {
		const char *point = t->items[i].point;

		if (strcmp(path, "/") == 0 ? point[1] != '\0'
					   : strncmp(point, path, len) == 0 && point[len] == '/') {
			return point;
		}
	}
	return NULL;
}
