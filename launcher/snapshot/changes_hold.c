/* SPDX-License-Identifier: Apache-2.0 */
/* Which changes need a person. Pure. Run by the front as the workspace's owner, over what a tool
 * left. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "changes_internal.h"
#include "gitconfig.h"
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
static enum name_class
name_rule(const struct change *ch, const char *path, const char **ret_says)
{
	const char *says[2] = { NULL, NULL };
	enum name_class class[2] = { NAME__NONE, NAME__NONE };
	size_t stronger;

	if (ch->mode_after != 0) {
		class[0] = names_class(path, ch->mode_after, &says[0]);
	}
	if (ch->mode_before != 0 && (ch->mode_before & S_IFMT) != (ch->mode_after & S_IFMT)) {
		class[1] = names_class(path, ch->mode_before, &says[1]);
	}
	stronger = class[1] < class[0];
	*ret_says = says[stronger];
	return class[stronger];
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

/*
 * Whether git would run it from dir, a directory of hooks. In the workspace's root any other file
 * may stand beside them: there it is what can be run, or a link.
 */
static bool
is_hook(const struct change *ch, const char *dir)
{
	const struct strings hooks = { .items = (const char *[]){ dir, NULL }, .count = 1 };

	if (dir[0] != '\0') {
		return profile_rule(ch, &hooks) != NULL;
	}
	return strchr(ch->path, '/') == NULL &&
	       (S_ISLNK(ch->mode_after) ||
		(S_ISREG(ch->mode_after) && (ch->mode_after & 0111) != 0));
}

/* The path as it were if the git directory that it is in, or is, were called .git. */
static int
as_git(const char *path, size_t dir_len, struct buf *ret)
{
	const char *rest = path + dir_len;

	buf_reset(ret);
	buf_printf(ret, ".git%s%s", dir_len == 0 && rest[0] != '\0' ? "/" : "", rest);
	return buf_error(ret) < 0 ? -ENOMEM : 0;
}

/* What git's places in this workspace make of the name: a rule that is stronger than its own. */
static int
place_rule(const struct change *ch, const struct git_places *g, enum name_class *class,
	   const char **says)
{
	auto_buf path = BUF_INIT;
	enum name_class found;
	const char *rule;

	for (size_t i = 0; i < g->dir_count && i < GIT_DIRS_MAX; i++) {
		if (as_git(ch->path, g->dirs[i], &path) < 0) {
			return -ENOMEM;
		}
		found = name_rule(ch, buf_text(&path), &rule);
		if (found < *class) {
			*class = found;
			*says = rule;
		}
	}
	for (size_t i = 0; *class > NAME_HELD && i < g->hook_count; i++) {
		if (is_hook(ch, g->hooks[i])) {
			*class = NAME_HELD;
			*says = "built-in: core.hooksPath: git runs these";
		}
	}
	if (*class > NAME_HELD && g->dir_count > GIT_DIRS_MAX) {
		*class = NAME_HELD;
		*says = "built-in: git directories: too many in each other to be told apart";
	}
	if (*class > NAME_HELD && g->too_many_hooks) {
		*class = NAME_HELD;
		*says = "built-in: core.hooksPath: too many to be told apart";
	}
	return 0;
}

static int
read_config(const struct content *k, uint64_t size, struct gitconfig *ret)
{
	auto_buf bytes = BUF_INIT;
	int r = content_read(k, size, &bytes);

	return r < 0 ? r : gitconfig_parse((const char *)bytes.data, bytes.len, ret);
}

/*
 * What is wrong with a change of git's configuration; stays empty when it is harmless. Files alone:
 * one that goes away, or is a link, is what the rule says.
 */
static int
judge_config(const struct change *ch, const struct judging *j, struct buf *why)
{
	struct gitconfig before = { .items = NULL }, after = { .items = NULL };
	int r = 0;

	if (!S_ISREG(ch->mode_after) || (ch->mode_before != 0 && !S_ISREG(ch->mode_before)) ||
	    j->after == NULL || (ch->mode_before != 0 && j->before == NULL)) {
		buf_puts(why, "it was removed or replaced");
		return buf_error(why);
	}
	if (ch->size_before > GITCONFIG_BYTES_MAX || ch->size_after > GITCONFIG_BYTES_MAX) {
		buf_puts(why, "it is too large to be checked");
		return buf_error(why);
	}
	if (ch->mode_before != 0) {
		r = read_config(j->before, ch->size_before, &before);
	}
	r = r < 0 ? r : read_config(j->after, ch->size_after, &after);
	if (r == 0) {
		r = gitconfig_judge(&before, &after, why);
	} else if (r != -ENOMEM) {
		buf_puts(why, "it cannot be read");
		r = buf_error(why);
	}
	gitconfig_finish(&before);
	gitconfig_finish(&after);
	return r;
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

/* "built-in: .git/config: core.pager: git runs it": why stands in place of the rule's reason. */
static int
hold_config(struct change *ch, const char *rule, const char *why)
{
	size_t head = strlen("built-in: ");
	auto_buf b = BUF_INIT;

	buf_put(&b, rule, head + strcspn(rule + head, ":"));
	buf_printf(&b, ": %s", why);
	return buf_error(&b) < 0 ? -ENOMEM : hold(ch, HOLD_PROTECTED, "", buf_text(&b));
}

/* "leak: gh, npm". */
static int
hold_leak(struct change *ch, const struct scanner *s)
{
	auto_buf names = BUF_INIT;

	for (unsigned int i = 0; i < SCAN_VALUES_MAX; i++) {
		if ((ch->leaked >> i & 1) != 0) {
			buf_printf(&names, "%s%s", names.len > 0 ? ", " : "", scanner_item(s, i));
		}
	}
	return buf_error(&names) < 0 ? -ENOMEM : hold(ch, HOLD_LEAK, "leak: ", buf_text(&names));
}

/*
 * Write rights of others that were not there before. A new entry may have what the root has, and
 * its group's: many archives and tools make it so, of a group that has one user.
 */
static mode_t
opened(const struct change *ch, mode_t root_mode)
{
	bool is_new = (ch->mode_before & S_IFMT) != (ch->mode_after & S_IFMT);

	if (!S_ISDIR(ch->mode_after) && !S_ISREG(ch->mode_after)) {
		return 0;
	}
	return ch->mode_after &
	       (is_new ? ~root_mode & S_IWOTH : ~ch->mode_before & (S_IWGRP | S_IWOTH));
}

/*
 * The rule of a protected entry, or of a directory that leads to one by its name, which others may
 * write from now on: they could do what the call may not. A link in a directory's place is held for
 * the same names. *ret is static; NULL: none.
 */
static int
opened_rule(const struct change *ch, const struct judging *j, const char **ret)
{
	mode_t mode = S_ISDIR(ch->mode_after) ? S_IFLNK : ch->mode_after;
	enum name_class class = NAME__NONE;
	auto_buf path = BUF_INIT;

	*ret = NULL;
	if (opened(ch, j->root_mode) == 0) {
		return 0;
	}
	class = names_class(ch->path, mode, ret);
	for (size_t i = 0;
	     class > NAME_CHECKED && j->git != NULL && i < j->git->dir_count && i < GIT_DIRS_MAX;
	     i++) {
		if (as_git(ch->path, j->git->dirs[i], &path) < 0) {
			return -ENOMEM;
		}
		class = names_class(buf_text(&path), mode, ret);
	}
	if (class > NAME_CHECKED) {
		bool leads = j->git != NULL && S_ISDIR(ch->mode_after) &&
			     S_ISDIR(ch->mode_before) && j->git->here_has_git;

		*ret = leads ? "built-in: .git: is below it" : NULL;
	}
	return 0;
}

int
changes_judge(struct change *ch, const struct judging *j)
{
	const char *rule = ch->mode_after != 0 ? special_reason(ch, j->capability) : NULL;
	const char *name;
	enum name_class class = name_rule(ch, ch->path, &name);
	auto_buf why = BUF_INIT;
	int r = 0;

	if (j->git != NULL) {
		r = place_rule(ch, j->git, &class, &name);
	}
	if (r < 0) {
		return r;
	}
	ch->watched = class == NAME_WATCHED ? name : NULL;
	if (rule != NULL) {
		return hold(ch, HOLD_SPECIAL, "", rule);
	}
	rule = names_hidden_entry(ch->path, ch->mode_after != 0 ? ch->mode_after : ch->mode_before,
				  j->hide);
	if (rule != NULL) {
		return hold(ch, HOLD_PROTECTED, "hidden: ", rule);
	}
	if (class < NAME_CHECKED) {
		return hold(ch, HOLD_PROTECTED, "", name);
	}
	r = opened_rule(ch, j, &rule);
	if (r < 0 || rule != NULL) {
		return r < 0 ? r : hold_config(ch, rule, "others could write it");
	}
	if (class == NAME_CHECKED) {
		r = judge_config(ch, j, &why);
		if (r < 0 || why.len > 0) {
			return r < 0 ? r : hold_config(ch, name, buf_text(&why));
		}
	}
	rule = profile_rule(ch, j->protect);
	if (rule != NULL) {
		return hold(ch, HOLD_PROTECTED, "profile: ", rule);
	}
	if (ch->link_after != NULL && names_link_escapes(ch->path, ch->link_after, j->workspace)) {
		return hold(ch, HOLD_ESCAPING_LINK, "", "link out of the workspace");
	}
	if (ch->leaked != 0 && j->scanner != NULL) {
		return hold_leak(ch, j->scanner);
	}
	return 0;
}
