/* SPDX-License-Identifier: Apache-2.0 */
/* Which changes need a person. Pure. Run by the front as the workspace's owner, over what a tool
 * left. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "changes_internal.h"
#include "names_internal.h"

static const char *
special_reason(const struct change *ch, bool capability)
{
	switch (ch->mode_after & S_IFMT) {
	case S_IFREG:
		if (ch->mode_after & S_ISUID) {
			return "setuid bit";
		}
		if (ch->mode_after & S_ISGID) {
			return "setgid bit";
		}
		return capability ? "file capability" : NULL;
	case S_IFSOCK:
		return "socket";
	case S_IFIFO:
		return "fifo";
	case S_IFBLK:
	case S_IFCHR:
		return "device";
	default:
		return NULL; /* set-id bits of a directory only steer the group of what is made in
				it */
	}
}

/* The rule for either side, the stronger one: what stood there counts like what stands now. */
static const char *
name_rule(const struct change *ch)
{
	const char *says[2] = { NULL, NULL };
	enum name_class class[2] = { NAME__NONE, NAME__NONE };

	if (ch->mode_after != 0) {
		class[0] = names_class(ch->path, ch->mode_after, &says[0]);
	}
	if (ch->mode_before != 0 && (ch->mode_before & S_IFMT) != (ch->mode_after & S_IFMT)) {
		class[1] = names_class(ch->path, ch->mode_before, &says[1]);
	}
	return says[class[1] < class[0]];
}

static const char *
profile_rule(const struct change *ch, const struct strings *protect)
{
	const char *rule = NULL;

	if (ch->mode_after != 0) {
		rule = names_profile_entry(ch->path, ch->mode_after, protect);
	}
	if (rule == NULL && ch->mode_before != 0) {
		rule = names_profile_entry(ch->path, ch->mode_before, protect);
	}
	return rule;
}

static int
hold(struct change *ch, enum hold_reason why, const char *head, const char *rule)
{
	size_t head_len = strlen(head), size = strlen(rule) + 1;

	ch->hold_rule = malloc(head_len + size);
	if (ch->hold_rule == NULL) {
		return -ENOMEM;
	}
	ch->hold = why;
	memcpy(ch->hold_rule, head, head_len);
	memcpy(ch->hold_rule + head_len, rule, size);
	return 0;
}

int
changes_judge(struct change *ch, const struct judging *j)
{
	const char *rule = ch->mode_after != 0 ? special_reason(ch, j->capability) : NULL;

	if (rule != NULL) {
		return hold(ch, HOLD_SPECIAL, "", rule);
	}
	rule = names_hidden_entry(ch->path, ch->mode_after != 0 ? ch->mode_after : ch->mode_before,
				  j->hide);
	if (rule != NULL) {
		return hold(ch, HOLD_PROTECTED, "hidden: ", rule);
	}
	rule = name_rule(ch);
	if (rule != NULL) {
		return hold(ch, HOLD_PROTECTED, "", rule);
	}
	rule = profile_rule(ch, j->protect);
	if (rule != NULL) {
		return hold(ch, HOLD_PROTECTED, "profile: ", rule);
	}
	if (ch->link_after != NULL && names_link_escapes(ch->path, ch->link_after, j->workspace)) {
		return hold(ch, HOLD_ESCAPING_LINK, "", "link out of the workspace");
	}
	return 0;
}
