/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of profile/ share besides the tree of profile_yaml.h: the tables, and typed values
 * per key. Private to this directory (and its tests).
 *
 * The way of the bytes: profile_load (search, ownership) -> profile_yaml (bytes to a tree) ->
 * profile_read (tree to typed values, by keys.def) -> profile_merge (parent and child) ->
 * profile_build (struct profile).
 */
#ifndef AIRLOCK_PROFILE_PROFILE_INTERNAL_H
#define AIRLOCK_PROFILE_PROFILE_INTERNAL_H

#include "profile.h"
#include "profile_load.h"
#include "profile_print.h"
#include "profile_yaml.h"

#define PROFILE_DEPTH_MAX 4    /* parents above a profile */
#define PROFILE_PATH_MAX 4095  /* bytes of a path */
#define PROFILE_LIST_MAX 4096  /* entries of a list in the cache file */
#define PROFILE_WORDS_MAX 256u /* of the command of a postcondition */
#define PROFILE_DEPS_MAX 1024  /* dependencies in the cache file */

/*
 * The nearest of the names, or NULL when none is near: Damerau-Levenshtein, at most a third
 * differs.
 */
const char *profile_nearest(const char *word, const char *const *names, size_t count);

/* ---- tables (profile_schema.c) --------------------------------------------------------------- */

enum profile_shape { SHAPE_SCALAR, SHAPE_LIST, SHAPE_MAP, SHAPE__COUNT };

enum profile_type {
#define TYPE(id, shape, what, pattern) TYPE_##id,
#include "profile_types.def"
#undef TYPE
	TYPE__COUNT
};

enum profile_narrow {
#define NARROW(id, opens, sentence) NARROW_##id,
#include "narrow.def"
#undef NARROW
	NARROW__COUNT
};

struct profile_key {
	enum profile_key_id id;
	const char *name; /* "limits.memory" */
	enum profile_type type;
	enum profile_narrow narrow;
	uint64_t least, most;
	const char *fallback; /* NULL: must be set */
	const char *sentence;
};

/* A name of a list that stands for bits: a layer, a toolchain. */
struct profile_bits {
	const char *name;
	uint32_t bits;
	const char *sentence;
};

#define PROFILE_BITS_MAX 32 /* rows of such a table */

struct profile_group {
	const char *name; /* "@default" */
	uint32_t bits;	  /* single groups in it */
	const char *what;
};

const struct profile_group *profile_groups(size_t *ret_count);
/* Whether a profile may name it: not the filter of the jail itself. */
bool profile_group_is_open(const struct profile_group *group);
const struct profile_key *profile_key(enum profile_key_id id);
const struct profile_key *profile_key_find(const char *name);
/* Length of what stands before the dot; 0 without one. */
size_t profile_key_section(const char *name);
/* Both in one section. */
bool profile_key_is_beside(const struct profile_key *a, const struct profile_key *b);
/* All keys by their names, which is the order of JSON. */
void profile_keys_sorted(const struct profile_key *ret_keys[KEY__COUNT]);
/* All keys, those of a section together, at the place of its first. */
void profile_keys_by_section(const struct profile_key *ret_keys[KEY__COUNT]);
/* A key exists below "name." */
bool profile_key_is_section(const char *name);
/*
 * The nearest right name for an unknown key `word` below `section` ("" for the top); false when
 * none is near.
 */
bool profile_key_nearest(const char *section, const char *word, char *ret_name, size_t size);
enum profile_shape profile_type_shape(enum profile_type type);
const char *profile_type_what(enum profile_type type);
/* A scalar whose value is in profile_value.text. */
bool profile_type_is_text(enum profile_type type);
/* The regular expression (ECMA 262) of a value or an entry; NULL where words of a table stand. */
const char *profile_type_pattern(enum profile_type type);
bool profile_narrow_opens(enum profile_narrow narrow);
/* A child's list stands for its parent's; PROFILE_PARENT in it stands for the parent's entries. */
bool profile_narrow_replaces(enum profile_narrow narrow);
const char *profile_narrow_sentence(enum profile_narrow narrow);
const struct profile_bits *profile_layers(size_t *ret_count);
const struct profile_bits *profile_toolchains(size_t *ret_count);
/* Words of an enum type in the order of their values; NULL for other types. */
const char *const *profile_type_words(enum profile_type type, size_t *ret_count);

/* ---- search (profile_search.c) --------------------------------------------------------------- */

#define PROFILE_NAMES_MAX 256 /* profiles that can be told of */

/* Directories in the order of the search. */
struct profile_search {
	struct {
		const char *path;
		enum profile_where where;
	} dirs[32];
	size_t count;
};

/* 0, or -errno with its text in err. Paths are the arena's. */
int profile_search_make(struct profile_arena *a, const struct profile_request *req,
			struct profile_search *ret, struct err *err) must_check;
/* Names of all profiles that can be found, sorted; the arena's. */
size_t profile_search_names(struct profile_arena *a, const struct profile_search *s,
			    const char *ret_names[PROFILE_NAMES_MAX]);

/* ---- typed values ---------------------------------------------------------------------------- */

struct profile_item {
	const char *text;  /* normalised */
	const char *value; /* of a map, else NULL */
	const char *path;  /* of a cache, else NULL */
	const struct profile_check *check; /* of a postcondition, else NULL; "~/" as written */
	uint64_t number;   /* of a cache: CACHE_* */
	struct profile_place at;
};

struct profile_value {
	bool set;
	struct profile_place at;
	uint64_t number;
	const char *text;
	struct profile_item *items;
	size_t count;
};

struct profile_doc {
	const struct profile_source *source;
	struct profile_value values[KEY__COUNT];
	bool may_widen[KEY__COUNT]; /* by its parent; set by profile_merge */
};

/* One value, by the key's type; false when something was reported. */
bool profile_value_parse(struct profile_arena *a, const struct profile_key *key,
			 const struct profile_node *node, struct profile_report *report,
			 struct profile_value *ret);
/* One path, normalised by the key's type; false when something was reported. */
bool profile_path_parse(struct profile_arena *a, const struct profile_key *key,
			const struct profile_node *node, struct profile_report *report,
			const char **ret);
/*
 * One cache of filesystem.cache: the item's value is "PATH (workflow)", "PATH (user, exec)" and the
 * like. false when something was reported.
 */
bool profile_cache_parse(struct profile_arena *a, const struct profile_key *key,
			 const struct profile_node *node, struct profile_report *report,
			 struct profile_item *ret);
/*
 * One postcondition of done_when: the item's text is its name, its value the command and what is
 * expected, "make check (profile make, exit 0, within 5m)". false when something was reported.
 */
bool profile_check_parse(struct profile_arena *a, const struct profile_key *key,
			 const struct profile_node *node, struct profile_report *report,
			 struct profile_item *ret);
/* Whether it gives no more than the parent's cache of that name. */
bool profile_cache_narrows(const struct profile_item *parent, const struct profile_item *child);
/* The value that holds when nobody sets the key; the row must have one. */
void profile_value_fallback(struct profile_arena *a, const struct profile_key *key,
			    struct profile_value *ret);
/* A number with the unit of its type: -EINVAL not one, -ERANGE too large for us. */
int profile_number_parse(enum profile_type type, const char *text, uint64_t *ret) must_check;
/* Number and unit as a person writes them. */
void profile_value_print(struct buf *b, enum profile_type type, uint64_t number);

/*
 * All keys of a tree; what cannot be read is reported and stays unset. part: a drop-in, which needs
 * no version and no name.
 */
void profile_read(struct profile_arena *a, const struct profile_node *root, bool part,
		  struct profile_report *report, struct profile_doc *ret);

/* ---- merge and build ------------------------------------------------------------------------- */

/*
 * Effective values of a child over its parent's effective values; a widening is reported at the
 * child's place with a note at the parent's. parent NULL: the top of a chain.
 */
void profile_merge(struct profile_arena *a, const struct profile_doc *parent,
		   const struct profile_doc *child, struct profile_report *report,
		   struct profile_doc *ret);
/*
 * What "narrower" means, by the key's rule and as if the parent opened nothing; profile_merge and
 * profile_diff ask nobody else. An entry of a child's list against the parent's list; a child's
 * list as a whole (an empty one can mean everything); a number. True where the rule is about
 * something else.
 */
bool profile_item_narrows(const struct profile_key *key, const struct profile_value *parent,
			  const struct profile_item *item);
bool profile_list_narrows(const struct profile_key *key, const struct profile_value *parent,
			  const struct profile_value *child);
bool profile_number_narrows(const struct profile_key *key, uint64_t parent, uint64_t child);
/* NULL when no entry has that text. */
const struct profile_item *profile_item_find(const struct profile_value *list, const char *text);
/* Defaults for what nobody set; a key without one is reported. In place. */
void
profile_complete(struct profile_arena *a, struct profile_doc *doc, struct profile_report *report);
/* The finished struct, without filters. home: for "~/". */
int profile_build(const struct profile_doc *doc, const char *home, struct profile **ret) must_check;

#endif
