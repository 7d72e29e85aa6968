/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who the caller is to git: user.name and user.email of his own files, and nothing else of them.
 * Runs in airlock-cli, as the caller, when a profile is compiled; the files become dependencies of
 * the result. No include is followed: it could lead anywhere. What cannot be read is as if it were
 * not there.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "profile_internal.h"
#include "profile_load.h"

#define CONFIG_MAX (256u << 10)

struct identity_text {
	struct buf name, email;
};

/*
 * git-config(1), "Syntax": quotes, escapes, comments, a backslash at the line's end. *p stands
 * behind the '=' and moves behind the value. false: a form that is none.
 */
static bool
read_value(const char **p, struct buf *ret)
{
	static const char escapes[] = "\"\\ntb", meaning[] = "\"\\\n\t\b";
	bool quoted = false;
	size_t end; /* without blanks at the end */

	buf_reset(ret);
	*p += strspn(*p, " \t");
	for (end = 0; **p != '\0' && **p != '\n'; (*p)++) {
		char c = **p;

		if (c == '"') {
			quoted = !quoted;
			continue;
		}
		if (!quoted && (c == '#' || c == ';')) {
			*p += strcspn(*p, "\n");
			break;
		}
		if (c == '\\') {
			const char *known;

			(*p)++;
			if (**p == '\n') {
				continue;
			}
			known = **p != '\0' ? strchr(escapes, **p) : NULL;
			if (known == NULL) {
				return false;
			}
			c = meaning[known - escapes];
		}
		buf_putc(ret, c);
		end = quoted || (c != ' ' && c != '\t') ? ret->len : end;
	}
	ret->len = ret->len > end ? end : ret->len;
	return !quoted;
}

/* One line of text that a person would write: what has control characters is no name. */
static void
take(const struct buf *value, struct buf *ret)
{
	for (size_t i = 0; i < value->len; i++) {
		if (iscntrl(value->data[i])) {
			return;
		}
	}
	if (value->len > 0 && value->len <= 256) {
		buf_reset(ret);
		buf_put(ret, value->data, value->len);
	}
}

/* false: what stands there is no configuration; what came before it counts. */
static bool
read_line(const char **p, bool *in_user, struct identity_text *ret)
{
	const char *key = *p + strspn(*p, " \t");
	size_t len = strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");
	auto_buf value = BUF_INIT;

	if (*key == '[') {
		const char *close = key + strcspn(key, "]\n");

		*in_user = *close == ']' && close - key == 5 && strncasecmp(key, "[user", 5) == 0;
		*p = *close == ']' ? close + 1 : close;
		return *close == ']';
	}
	*p = key + len + strspn(key + len, " \t");
	if (len == 0 || **p != '=') {
		*p += strcspn(*p, "\n"); /* a comment, an empty line, or a key that is just there */
		return true;
	}
	(*p)++;
	if (!read_value(p, &value)) {
		return false;
	}
	if (*in_user && len == 4 && strncasecmp(key, "name", 4) == 0) {
		take(&value, &ret->name);
	} else if (*in_user && len == 5 && strncasecmp(key, "email", 5) == 0) {
		take(&value, &ret->email);
	}
	return true;
}

static void
read_config(const char *path, struct identity_text *ret)
{
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	auto_buf text = BUF_INIT;
	bool in_user = false;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    fdio_slurp(fd, CONFIG_MAX, &text) < 0) {
		return;
	}
	for (const char *p = buf_text(&text); *p != '\0'; p += *p == '\n') {
		if (!read_line(&p, &in_user, ret)) {
			return;
		}
	}
}

static const char *
keep(struct profile_arena *a, const struct buf *text)
{
	const char *copy = profile_arena_text(a, buf_text(text), text->len);

	return copy != NULL ? copy : "";
}

int
profile_git_identity(struct profile_loaded *l, const struct profile_request *req)
{
	const bool own = req->config_home != NULL && req->config_home[0] == '/';
	struct profile *p = l->profile;
	struct profile_arena a = { .chunks = p->arena };
	struct identity_text found = { .name = BUF_INIT };
	const struct {
		const char *dir, *name;
	} files[] = { /* the later one wins, as in git */
		      { own ? req->config_home : req->home, own ? "/git/config"
							       : "/.config/git/config" },
		      { req->home, "/.gitconfig" }
	};
	int rc = 0;

	for (size_t i = 0; p->git_identity && rc == 0 && i < ARRAY_LEN(files); i++) {
		auto_buf path = BUF_INIT;

		buf_puts(&path, files[i].dir);
		buf_puts(&path, files[i].name);
		rc = profile_loaded_add(l, buf_text(&path));
		read_config(buf_text(&path), &found);
	}
	p->git_name = keep(&a, &found.name);
	p->git_email = keep(&a, &found.email);
	p->arena = a.chunks;
	buf_finish(&found.name);
	buf_finish(&found.email);
	return a.failed ? -ENOMEM : rc;
}
