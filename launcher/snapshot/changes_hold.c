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

int
changes_judge(struct change *ch, bool capability, const struct strings *protect,
	      const struct rule_paths *hide)
{
	const char *rule = ch->mode_after != 0 ? special_reason(ch, capability) : NULL;
	const char *hidden = names_hidden_entry(
		ch->path, ch->mode_after != 0 ? ch->mode_after : ch->mode_before, hide);
	const char *head = "";
	size_t size;

	ch->hold = rule != NULL ? HOLD_SPECIAL : HOLD_NONE;
	if (rule == NULL && hidden != NULL) {
		ch->hold = HOLD_PROTECTED;
		rule = hidden;
		head = "hidden: ";
	}
	if (rule == NULL && ch->mode_after != 0) {
		rule = names_protected_entry(ch->path, ch->mode_after, protect);
	}
	if (rule == NULL && ch->mode_before != 0) {
		rule = names_protected_entry(ch->path, ch->mode_before, protect);
	}
	if (rule != NULL && ch->hold == HOLD_NONE) {
		ch->hold = HOLD_PROTECTED;
		head = strncmp(rule, "built-in: ", 10) == 0 ? "" : "profile: ";
	}
	if (rule == NULL && ch->link_after != NULL &&
	    names_link_escapes(ch->path, ch->link_after)) {
		ch->hold = HOLD_ESCAPING_LINK;
		rule = "link out of the workspace";
	}
	if (rule == NULL) {
		return 0;
	}
	size = strlen(head) + strlen(rule) + 1;
	ch->hold_rule = malloc(size);
	if (ch->hold_rule == NULL) {
		return -ENOMEM;
	}
	memcpy(ch->hold_rule, head, strlen(head));
	memcpy(ch->hold_rule + strlen(head), rule, strlen(rule) + 1);
	return 0;
}
