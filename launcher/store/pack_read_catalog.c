/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the objects of a workflow lie: one walk over the headers of its packs, for whoever reads
 * many. Runs in airlock-cli and airlock-log, as the caller. Trusts the names of packs and nothing
 * in them: the first header that is not exactly right, or whose record is not whole, ends a pack.
 */
#include "pack_read_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../base/grow.h"

static int
add_place(struct pack_catalog *c, const struct pack_place *place)
{
	struct pack_place *grown =
		grow_array(c->places, c->place_count, &c->place_cap, sizeof(*grown));

	if (grown == NULL) {
		return -ENOMEM;
	}
	c->places = grown;
	c->places[c->place_count++] = *place;
	return 0;
}

static int
scan(struct pack_catalog *c, int fd, uint64_t size)
{
	uint64_t at = 0;

	while (size - at >= PACK_HEADER) {
		struct pack_place place = { .pack = c->name_count - 1 };
		uint8_t bytes[PACK_HEADER];
		uint64_t left = size - at - PACK_HEADER;
		int r = fdio_pread(fd, bytes, sizeof(bytes), (off_t)at);

		if (r < 0) {
			return r == -ENODATA ? 0 : r;
		}
		if (pack_header_decode(bytes, &place.h) < 0 || place.h.stored > left ||
		    pack_padding(place.h.stored) > left - place.h.stored) {
			return 0;
		}
		place.payload = at + PACK_HEADER;
		at = place.payload + place.h.stored + pack_padding(place.h.stored);
		r = add_place(c, &place);
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

static int
add_pack(struct pack_catalog *c, const char *name)
{
	auto_fd fd = openat(c->dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	auto_free char *copy = strdup(name);
	char **grown = reallocarray(c->names, c->name_count + 1, sizeof(*grown));
	struct stat st;

	if (grown != NULL) {
		c->names = grown;
	}
	if (grown == NULL || copy == NULL) {
		return -ENOMEM;
	}
	if (fd < 0 || fstat(fd, &st) < 0) {
		return -errno;
	}
	c->names[c->name_count++] = take_ptr(copy);
	return scan(c, fd, (uint64_t)st.st_size);
}

/* Ends at what cannot be remembered; a pack that cannot be read hides no other. */
static int
scan_packs(struct pack_catalog *c)
{
	auto_dir dir = NULL;
	struct dirent *entry;
	int r = fdio_list_dir(c->dir_fd, ".", 0, &dir);

	if (r < 0) {
		return r;
	}
	while (r != -ENOMEM && (entry = readdir(dir)) != NULL) {
		if (pack_is_name(entry->d_name)) {
			r = add_pack(c, entry->d_name);
			c->worst = r < 0 && r != -ENOENT ? r : c->worst;
		}
	}
	return r == -ENOMEM ? r : 0;
}

/* Those of one digest in the order of the walk, in which packs are numbered as found. */
static int
by_digest(const void *a, const void *b)
{
	const struct pack_place *x = a, *y = b;
	int order = memcmp(x->h.digest, y->h.digest, SHA256_SIZE);

	if (order == 0) {
		order = (x->pack > y->pack) - (x->pack < y->pack);
	}
	return order != 0 ? order : (x->payload > y->payload) - (x->payload < y->payload);
}

int
pack_catalog_create(struct store *s, const uint8_t workflow[16], struct pack_catalog **ret,
		    struct err *err)
{
	struct pack_catalog *c = calloc(1, sizeof(*c));
	char path[PACK_NAME_SIZE];
	int r = c == NULL ? -ENOMEM : 0;

	if (r == 0) {
		c->fd = -1;
		memcpy(c->workflow, workflow, sizeof(c->workflow));
		pack_workflow_name(workflow, path);
		c->dir_fd =
			openat(s->dir_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		c->worst = c->dir_fd < 0 && errno != ENOENT ? -errno : 0;
		r = c->dir_fd >= 0 ? scan_packs(c) : 0;
	}
	if (r < 0) {
		pack_catalog_destroy(c);
		return err_sys(err, r, "look for the packs of a workflow");
	}
	if (c->place_count > 0) {
		qsort(c->places, c->place_count, sizeof(c->places[0]), by_digest);
	}
	*ret = c;
	return 0;
}

void
pack_catalog_destroy(struct pack_catalog *c)
{
	if (c == NULL) {
		return;
	}
	for (size_t i = 0; i < c->name_count; i++) {
		free(c->names[i]);
	}
	free(c->names);
	free(c->places);
	cleanup_fd(&c->fd);
	cleanup_fd(&c->dir_fd);
	free(c);
}

size_t
pack_catalog_count(const struct pack_catalog *c)
{
	size_t count = 0;

	for (size_t i = 0; i < c->place_count; i++) {
		count += i == 0 ||
			 memcmp(c->places[i - 1].h.digest, c->places[i].h.digest, SHA256_SIZE) != 0;
	}
	return count;
}

const struct pack_place *
pack_catalog_find(const struct pack_catalog *c, const uint8_t digest[SHA256_SIZE],
		  size_t *ret_count)
{
	size_t low = 0, high = c->place_count, end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (memcmp(c->places[middle].h.digest, digest, SHA256_SIZE) < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	for (end = low;
	     end < c->place_count && memcmp(c->places[end].h.digest, digest, SHA256_SIZE) == 0;) {
		end++;
	}
	*ret_count = end - low;
	return end > low ? &c->places[low] : NULL;
}

int
pack_catalog_fd(struct pack_catalog *c, size_t pack)
{
	if (c->fd >= 0 && c->fd_pack == pack) {
		return c->fd;
	}
	cleanup_fd(&c->fd);
	c->fd = openat(c->dir_fd, c->names[pack], O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	c->fd_pack = pack;
	return c->fd >= 0 ? c->fd : -errno;
}
