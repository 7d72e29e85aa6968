/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bundles: the credentials of a workflow. A directory NAME/ with a reviewed manifest without
 * secrets, bundle.yaml, and one age file per sealed item and version (docs/formats.md, "Bundles").
 * airlock-cli alone calls this, as the caller and never with more authority. Trusts a directory and
 * its files only when they belong to root or the caller and nobody else may write them. No value of
 * a credential comes through here: bundle_open_item gives a descriptor.
 */
#ifndef AIRLOCK_BUNDLE_BUNDLE_H
#define AIRLOCK_BUNDLE_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/json.h"
#include "../base/sha256.h"

#define BUNDLE_NAME_MAX 64u /* bytes of the name of a bundle or an item */
#define BUNDLE_MANIFEST "bundle.yaml"
#define BUNDLE_SYSTEM_DIR "/etc/airlock/bundles"
#define BUNDLE_ITEMS_MAX 256u
#define BUNDLE_RECIPIENTS_MAX 64u
#define BUNDLE_LIST_MAX 256u /* bundles that can be told of */

enum bundle_source {
#define SOURCE(id, word, later, sentence) BUNDLE_SOURCE_##id,
#include "sources.def"
#undef SOURCE
	BUNDLE_SOURCE__COUNT
};

enum bundle_delivery {
#define DELIVERY(id, word, later, sentence) BUNDLE_DELIVER_##id,
#include "deliveries.def"
#undef DELIVERY
	BUNDLE_DELIVER__COUNT
};

enum bundle_access { BUNDLE_READ, BUNDLE_WRITE, BUNDLE_ACCESS__COUNT };

struct bundle_words {
	const char **items; /* count entries */
	size_t count;
};

/* Texts are never NULL; "" is what the manifest does not say. */
struct bundle_item {
	const char *name;
	const char *about;
	enum bundle_source source;
	uint64_t version;	     /* of sealed, from 1 */
	const char *path;	     /* of file; absolute */
	const char *credential;	     /* of systemd */
	const char *handle;	     /* of fd */
	struct bundle_words command; /* of exec; the first is absolute */
	const char *provider, *id, *profile;
	bool revocable;
	enum bundle_delivery deliver;
	const char *deliver_name; /* of the file or the variable; never "" */
	enum bundle_access access;
	uint64_t not_after_ms; /* since 1970; 0: no end */
	uint64_t ttl_ms;       /* 0: none */
	uint64_t max_uses;     /* 0: no bound */
	bool revoked;
	unsigned int line; /* of its name in the manifest */
};

/* Of an item's initializer: what a sealed one does not say. */
#define BUNDLE_ITEM_UNSAID                                                                   \
	.path = "", .credential = "", .handle = "", .provider = "", .id = "", .profile = "", \
	.deliver_name = ""

struct bundle {
	const char *name, *owner;
	struct bundle_words recipients;
	struct bundle_item *items; /* in the order of the manifest */
	size_t item_count;
	uint8_t digest[SHA256_SIZE]; /* of the manifest's bytes */
	void *arena;		     /* owned: all of the above */
};

void bundle_finish(struct bundle *b);

/* [a-z0-9][a-z0-9._-]{0,63} */
bool bundle_name_is_right(const char *name);
/* The same with words: -EINVAL. what: "a bundle". */
int bundle_name_check(const char *what, const char *name, struct err *err) must_check;
/* NULL when there is none. */
const struct bundle_item *bundle_item(const struct bundle *b, const char *name);
/* The same, with the names that are near in err. -ENOENT. */
int bundle_item_find(const struct bundle *b, const char *name, const struct bundle_item **ret,
		     struct err *err) must_check;
const char *bundle_source_word(enum bundle_source source);
const char *bundle_delivery_word(enum bundle_delivery delivery);
const char *bundle_access_word(enum bundle_access access);
/* Words of a command line; false when there is no such. */
bool bundle_delivery_find(const char *word, enum bundle_delivery *ret);
bool bundle_access_find(const char *word, enum bundle_access *ret);
/* Why this version gives such an item to no call; NULL where it does. */
const char *bundle_item_later(const struct bundle_item *item);

/*
 * A manifest's bytes, strictly: 0, or -EINVAL with every error and its place in report, the first
 * of them in err. path is for those texts; name is the directory's. Pure.
 */
int bundle_parse(const char *path, const char *name, const struct buf *bytes, struct bundle *ret,
		 struct buf *report, struct err *err) must_check;
/* All that the manifest says of it, as one JSON object; for people and for comparing. */
void bundle_put_item(struct json *j, const struct bundle_item *item);

/* ---- where bundles are ----------------------------------------------------------------------- */

/* All borrowed. */
struct bundle_request {
	const char *config_home; /* $XDG_CONFIG_HOME; NULL or not absolute: home/.config */
	const char *home;	 /* the caller's home, absolute */
	const char *system_dir;	 /* BUNDLE_SYSTEM_DIR */
	uid_t caller;		 /* whose bundles are believed besides root's */
	uid_t unmapped;		 /* trusted_unmapped_uid() */
};

/* Appends the caller's own configuration directory of airlock, or a path in it ("/bundles"). */
void bundle_own_path(const struct bundle_request *req, const char *rest, struct buf *ret);

/* A bundle whose directory is open and locked, and whose manifest was read under that lock. */
struct bundle_at {
	struct bundle bundle;
	char *path; /* owned: of the directory */
	int dir_fd; /* owned; holds the lock */
	bool is_system;
	struct buf manifest; /* its bytes */
	mode_t mode;	     /* of the manifest */
	struct bundle_request req;
};

#define BUNDLE_AT_INIT                     \
	{                                  \
		.path = NULL, .dir_fd = -1 \
	}
#define auto_bundle_at __attribute__((cleanup(bundle_at_finish))) struct bundle_at

/*
 * The first bundle of that name, the caller's own before the system's. read: with the lock shared,
 * so that the manifest and the files that it names are of one moment; write: alone. Both wait some
 * seconds for the other (-EBUSY). -ENOENT, -EPERM (owner, mode, link), -EINVAL (errors in the
 * manifest: in report as bundle_parse says).
 */
int bundle_open_read(const struct bundle_request *req, const char *name, struct bundle_at *ret,
		     struct buf *report, struct err *err) must_check;
int bundle_open_write(const struct bundle_request *req, const char *name, struct bundle_at *ret,
		      struct buf *report, struct err *err) must_check;
void bundle_at_finish(struct bundle_at *at);

/*
 * The file of an item whose source is sealed or file, for reading: regular, one link, reached
 * through no link; a sealed one of the caller's or root's that nobody else may write, another that
 * nobody else may read. -EINVAL for other sources.
 */
int bundle_open_item(const struct bundle_at *at, const struct bundle_item *item, int *ret_fd,
		     struct err *err) must_check;
/*
 * Whether the program of an item whose source is exec may be started: a regular file that can be
 * executed, of the caller's or root's, that nobody else may write, reached through no link. -EPERM,
 * or what opening it gives.
 */
int bundle_check_command(const struct bundle_at *at, const struct bundle_item *item,
			 struct err *err) must_check;
/* Appends ITEM.VERSION.age. */
void bundle_item_file(const char *item, uint64_t version, struct buf *ret);

struct bundle_found {
	const char *name, *path;
	bool is_system;
	bool is_hidden; /* by one of the caller's own */
};

struct bundle_listing {
	struct bundle_found *rows; /* sorted by name, own before the system's */
	size_t count;
	void *arena; /* owned: all of the above */
};

/* Every directory with a right name, whatever is in it. */
int bundle_list(const struct bundle_request *req, struct bundle_listing *ret, struct err *err)
	must_check;
void bundle_listing_finish(struct bundle_listing *l);

#endif
