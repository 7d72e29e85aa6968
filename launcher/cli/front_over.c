/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the front, as the owner: `--over CALL`, a call that runs over a held change set. The front
 * reads no index: what may be named is what is kept, in the two places of one workflow.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/text.h"
#include "front.h"

#define DIGITS_LEAST 4u
#define DIGITS_OF_TIME 12u /* of a UUIDv7: milliseconds */
#define DIGITS_MAX 32u

/* The digits of an id or a start of one, without its dashes; false: it is none. */
static bool
digits_of(const char *text, char ret_digits[DIGITS_MAX + 1])
{
	size_t count = 0;

	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '-') {
			continue;
		}
		if (count == DIGITS_MAX || strchr("0123456789abcdef", *p) == NULL) {
			return false;
		}
		ret_digits[count++] = *p;
	}
	ret_digits[count] = '\0';
	return count >= DIGITS_LEAST;
}

static bool
is_newest(const char *name)
{
	return strcmp(name, "@last") == 0;
}

int
front_over_parse(struct front *f)
{
	const char *over = f->opt.over;
	char digits[DIGITS_MAX + 1];

	if (over == NULL) {
		return 0;
	}
	if (f->opt.mode != NULL && strcmp(f->opt.mode, profile_mode_words[MODE_OBSERVE]) != 0) {
		return err_set(&f->err, -EINVAL,
			       "--over goes with -m observe alone: it tries what is held, and "
			       "settles nothing");
	}
	if (!is_newest(over) && !digits_of(over, digits)) {
		return err_set(&f->err, -EINVAL,
			       "--over %s: wants a call's id, a start of it (at least %u digits) "
			       "or @last",
			       over, DIGITS_LEAST);
	}
	/* what it names may be another one when the request is sent again */
	if (f->opt.key != NULL && (is_newest(over) || strlen(digits) < DIGITS_MAX)) {
		return err_set(&f->err, -EINVAL,
			       "--over %s: with --key it wants the whole id of the call", over);
	}
	f->opt.mode = profile_mode_words[MODE_OBSERVE];
	return 0;
}

/*
 * A call's id begins with the moment that chose the day of its workflow: it says where to look, on
 * another day too.
 */
uint64_t
front_over_time(const struct front *f)
{
	char digits[DIGITS_MAX + 1];

	if (f->opt.over == NULL || is_newest(f->opt.over) || !digits_of(f->opt.over, digits) ||
	    strlen(digits) < DIGITS_OF_TIME) {
		return f->t0_ms;
	}
	digits[DIGITS_OF_TIME] = '\0';
	return strtoull(digits, NULL, 16);
}

static bool
is_named(const struct layer *layer, const char *digits)
{
	char uuid[UUID_TEXT_SIZE], all[DIGITS_MAX + 1];

	text_uuid_print(layer->call, uuid);
	return digits_of(uuid, all) && strncmp(all, digits, strlen(digits)) == 0;
}

/* How many layers are named; the last of them. With no digits the newest one is. */
static size_t
find(const struct layers *l, const char *digits, size_t *ret_at)
{
	size_t found = 0;

	for (size_t i = 0; i < l->count; i++) {
		if (digits == NULL || is_named(&l->items[i], digits)) {
			*ret_at = i;
			found = digits == NULL ? 1 : found + 1;
		}
	}
	return found;
}

static int
none_held(struct front *f)
{
	const char *over = f->opt.over;

	return is_newest(over)
		     ? err_set(&f->err, -ENOENT,
			       "--over @last: no change set of this workspace is held today")
		     : err_set(&f->err, -ENOENT,
			       "--over %s: this workspace has no such held change set (`airlock "
			       "pending` lists what is held; of an earlier day it wants at least "
			       "the %u digits that `airlock pending` shows)",
			       over, DIGITS_OF_TIME);
}

/* The draft as far as it lies below the layer, and that on top. */
static int
put_on_top(struct front *f, const struct layer *layer)
{
	struct layers *draft = &f->draft;
	struct layer *grown;
	size_t below = 0;

	while (below < draft->count && strcmp(draft->items[below].name, layer->name) < 0) {
		below++;
	}
	grown = realloc(draft->items, (below + 1) * sizeof(*grown));
	if (grown == NULL) {
		return err_set(&f->err, -ENOMEM, "out of memory");
	}
	grown[below] = *layer;
	draft->items = grown;
	draft->count = below + 1;
	return 0;
}

int
front_over(struct front *f, const struct layers *aside)
{
	char digits[DIGITS_MAX + 1];
	const char *wanted =
		!is_newest(f->opt.over) && digits_of(f->opt.over, digits) ? digits : NULL;
	size_t in_draft = 0, in_aside = 0;
	size_t drafts = find(&f->draft, wanted, &in_draft);
	size_t asides = find(aside, wanted, &in_aside);
	bool from_aside = asides > 0;
	struct layer layer;

	if (drafts + asides == 0) {
		return none_held(f);
	}
	if (wanted != NULL && drafts + asides > 1) {
		return err_set(&f->err, -EEXIST,
			       "--over %s: %zu held change sets begin so: give more of the id",
			       f->opt.over, drafts + asides);
	}
	if (drafts > 0 && asides > 0) {
		from_aside = strcmp(aside->items[in_aside].name, f->draft.items[in_draft].name) > 0;
	}
	layer = from_aside ? aside->items[in_aside] : f->draft.items[in_draft];
	f->over_place = from_aside ? LAYER_ASIDE : LAYER_DRAFT;
	text_uuid_print(layer.call, f->over_text);
	return put_on_top(f, &layer);
}
