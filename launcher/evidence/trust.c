/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs in airlock-cli and airlock-log. The file is of the person who verifies, so it is believed;
 * it is read strictly all the same, since a slip in it would be trust in the wrong one.
 */
#include "trust.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "note_text.h"

#define WORDS_MAX (3 + TRUST_MAX)
#define LINE_MAX_BYTES (16u << 10)

struct line {
	const char *file;
	unsigned int number;
	char *word[WORDS_MAX + 1];
	size_t words;
	struct err *err;
};

struct parser {
	struct trust trust;
	bool is_member[2 * TRUST_MAX]; /* as a group's member: stands in one */
	bool has_quorum;
};

static int bad(const struct line *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int
bad(const struct line *l, const char *fmt, ...)
{
	char text[ERR_TEXT_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return err_set(l->err, -EINVAL, "%s:%u: %s", l->file, l->number, text);
}

/* A witness or group by its name, as a group's member; -1 when there is none. */
static int
find(const struct trust *t, const char *name)
{
	for (size_t i = 0; i < t->witnesses; i++) {
		if (strcmp(t->witness[i].name, name) == 0) {
			return (int)i;
		}
	}
	for (size_t i = 0; i < t->groups; i++) {
		if (strcmp(t->group[i].name, name) == 0) {
			return (int)(TRUST_MAX + i);
		}
	}
	return -1;
}

static int
check_new_name(const struct line *l, const struct trust *t, const char *name)
{
	if (strlen(name) > NOTE_KEY_NAME_MAX) {
		return bad(l, "the name is longer than %u bytes; take a shorter one",
			   NOTE_KEY_NAME_MAX);
	}
	if (strcmp(name, "none") == 0) {
		return bad(l, "\"none\" is the quorum of nobody and no name; take another one");
	}
	if (find(t, name) >= 0) {
		return bad(l, "%s was defined before; take another name", name);
	}
	return 0;
}

/* The key and the URL behind it, from word[at] on. */
static int
read_key(const struct line *l, size_t at, uint8_t algorithm, struct trust_key *ret)
{
	struct err why = ERR_INIT;

	if (note_key_parse(l->word[at], &ret->key, &why) < 0) {
		return bad(l, "%s", why.text);
	}
	if (ret->key.algorithm != algorithm) {
		return bad(l, "%s is the key of a %s; a %s is needed here", ret->key.name,
			   algorithm == NOTE_ALGORITHM_ED25519 ? "witness" : "log",
			   algorithm == NOTE_ALGORITHM_ED25519 ? "log's (algorithm 1)"
							       : "witness's (algorithm 4)");
	}
	if (l->words > at + 1) {
		if (strlen(l->word[at + 1]) >= sizeof(ret->url)) {
			return bad(l, "the URL is longer than %u bytes", TRUST_URL_MAX - 1);
		}
		memcpy(ret->url, l->word[at + 1], strlen(l->word[at + 1]) + 1);
	}
	return 0;
}

static int
check_new_key(const struct line *l, const struct trust_key *known, size_t count,
	      const struct trust_key *key)
{
	if (count == TRUST_MAX) {
		return bad(l, "more than %u of a kind", TRUST_MAX);
	}
	for (size_t i = 0; i < count; i++) {
		if (memcmp(known[i].key.pub, key->key.pub, sizeof(key->key.pub)) == 0) {
			return bad(
				l,
				"the public key is that of %s above; remove one of the two lines",
				known[i].key.name);
		}
	}
	return 0;
}

static int
read_log(struct parser *p, const struct line *l)
{
	struct trust *t = &p->trust;
	struct trust_key key = { .name = "" };
	int r;

	if (l->words < 2 || l->words > 3) {
		return bad(l, "a log is: log KEY [URL]");
	}
	r = read_key(l, 1, NOTE_ALGORITHM_ED25519, &key);
	if (r == 0) {
		r = check_new_key(l, t->log, t->logs, &key);
	}
	if (r == 0) {
		memcpy(key.name, key.key.name, sizeof(key.name));
		t->log[t->logs++] = key;
	}
	return r;
}

static int
read_witness(struct parser *p, const struct line *l)
{
	struct trust *t = &p->trust;
	struct trust_key key = { .name = "" };
	int r;

	if (l->words < 3 || l->words > 4) {
		return bad(l, "a witness is: witness NAME KEY [URL]");
	}
	r = check_new_name(l, t, l->word[1]);
	if (r == 0) {
		r = read_key(l, 2, NOTE_ALGORITHM_COSIGNATURE, &key);
	}
	if (r == 0) {
		r = check_new_key(l, t->witness, t->witnesses, &key);
	}
	if (r == 0) {
		memcpy(key.name, l->word[1], strlen(l->word[1]) + 1);
		t->witness[t->witnesses++] = key;
	}
	return r;
}

static int
read_member(struct parser *p, const struct line *l, const char *name, struct trust_group *g)
{
	int member = find(&p->trust, name);

	if (member < 0) {
		return bad(l, "%s is neither a witness nor a group defined above this line", name);
	}
	if (p->is_member[member]) {
		return bad(l, "%s is a member already; each counts in one group only", name);
	}
	p->is_member[member] = true;
	g->member[g->count++] = (unsigned int)member;
	return 0;
}

static int
read_needed(const struct line *l, struct trust_group *g)
{
	const char *word = l->word[2];
	uint64_t n = 0;

	if (strcmp(word, "any") == 0) {
		n = 1;
	} else if (strcmp(word, "all") == 0) {
		n = g->count;
	} else if (note_number(word, strlen(word), &n) < 0) {
		return bad(l, "%s is neither a number nor \"any\" or \"all\"", word);
	}
	if (n < 1 || n > g->count) {
		return bad(l, "%s of %u members: say 1 to %u", word, g->count, g->count);
	}
	g->needed = (unsigned int)n;
	return 0;
}

static int
read_group(struct parser *p, const struct line *l)
{
	struct trust *t = &p->trust;
	struct trust_group g = { .count = 0 };
	int r;

	if (l->words < 4) {
		return bad(l, "a group is: group NAME NUMBER|any|all MEMBER...");
	}
	if (t->groups == TRUST_MAX) {
		return bad(l, "more than %u groups", TRUST_MAX);
	}
	r = check_new_name(l, t, l->word[1]);
	for (size_t i = 3; r == 0 && i < l->words; i++) {
		r = read_member(p, l, l->word[i], &g);
	}
	if (r == 0) {
		r = read_needed(l, &g);
	}
	if (r == 0) {
		memcpy(g.name, l->word[1], strlen(l->word[1]) + 1);
		t->group[t->groups++] = g;
	}
	return r;
}

static int
read_quorum(struct parser *p, const struct line *l)
{
	if (l->words != 2) {
		return bad(l, "a quorum is: quorum NAME, or quorum none");
	}
	if (p->has_quorum) {
		return bad(l, "a second quorum; keep one of the two lines");
	}
	p->has_quorum = true;
	p->trust.quorum = find(&p->trust, l->word[1]);
	if (p->trust.quorum < 0 && strcmp(l->word[1], "none") != 0) {
		return bad(l, "%s is neither a witness nor a group defined above this line",
			   l->word[1]);
	}
	return 0;
}

/* clang-format off */
static const struct {
	const char *word;
	int (*read)(struct parser *p, const struct line *l);
} statements[] = {
	{ "group",   read_group },
	{ "log",     read_log },
	{ "quorum",  read_quorum },
	{ "witness", read_witness },
};
/* clang-format on */

/* The bytes of a line are cut into words. */
static int
cut(struct line *l, char *text)
{
	char *left = NULL;

	l->words = 0;
	for (char *word = strtok_r(text, " \t", &left); word != NULL;
	     word = strtok_r(NULL, " \t", &left)) {
		if (l->words == 0 && word[0] == '#') {
			return 0;
		}
		if (l->words == WORDS_MAX) {
			return bad(l, "more than %u words", (unsigned int)WORDS_MAX);
		}
		l->word[l->words++] = word;
	}
	return 0;
}

static int
read_line(struct parser *p, struct line *l, const char *text, size_t len)
{
	auto_free char *copy = NULL;
	int r;

	if (len > LINE_MAX_BYTES) {
		return bad(l, "the line is longer than 16 KiB");
	}
	for (size_t i = 0; i < len; i++) {
		if (((unsigned char)text[i] < ' ' && text[i] != '\t') || text[i] == 0x7f) {
			return bad(l, "a control character; only tabs and newlines are allowed");
		}
	}
	copy = strndup(text, len);
	if (copy == NULL) {
		return err_sys(l->err, -ENOMEM, "reading %s", l->file);
	}
	r = cut(l, copy);
	if (r < 0 || l->words == 0) {
		return r;
	}
	for (size_t i = 0; i < ARRAY_LEN(statements); i++) {
		if (strcmp(l->word[0], statements[i].word) == 0) {
			return statements[i].read(p, l);
		}
	}
	return bad(l, "%s is unknown; a line begins with log, witness, group or quorum",
		   l->word[0]);
}

int
trust_parse(const char *name, const char *text, size_t len, struct trust *ret, struct err *err)
{
	auto_free struct parser *p = calloc(1, sizeof(*p));
	struct line l = { .file = name, .err = err };
	const char *at = text, *end = text + len;
	int r = 0;

	if (p == NULL) {
		return err_sys(err, -ENOMEM, "reading %s", name);
	}
	while (r == 0 && at < end) {
		size_t line_len;
		const char *line = note_line(&at, end, &line_len);

		l.number++;
		if (line == NULL) {
			return bad(&l, "the last line is not ended: is the file whole?");
		}
		r = read_line(p, &l, line, line_len);
	}
	if (r == 0 && !p->has_quorum) {
		r = err_set(err, -EINVAL,
			    "%s: no line says \"quorum NAME\"; \"quorum none\" asks for no witness",
			    name);
	}
	if (r == 0) {
		*ret = p->trust;
	}
	return r;
}

bool
trust_has_log(const struct trust *t, const struct note_key *key)
{
	for (size_t i = 0; i < t->logs; i++) {
		if (note_key_equal(&t->log[i].key, key)) {
			return true;
		}
	}
	return t->logs == 0;
}

bool
trust_is_met(const struct trust *t, const bool signed_by[TRUST_MAX])
{
	bool met[2 * TRUST_MAX] = { false };

	memcpy(met, signed_by, TRUST_MAX * sizeof(met[0]));
	/* A group's members are defined before it. */
	for (size_t i = 0; i < t->groups; i++) {
		const struct trust_group *g = &t->group[i];
		unsigned int count = 0;

		for (unsigned int k = 0; k < g->count; k++) {
			count += met[g->member[k]] ? 1 : 0;
		}
		met[TRUST_MAX + i] = count >= g->needed;
	}
	return t->quorum < 0 || met[t->quorum];
}
